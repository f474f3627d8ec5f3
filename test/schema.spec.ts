import { expect } from "chai";
import { ComponentProvider, getPulumiComponents } from "@pulumi/pulumi/provider/experimental/provider";
import { join, resolve } from "node:path";
import * as ts from "typescript";
import * as library from "../components";
import { goldenFiles } from "./helpers/golden";
import { Surface } from "./schema/surface";

const root = resolve(__dirname, "..");
const expectGolden = goldenFiles(join(__dirname, "schema"));

describe("The public surface", function () {
    // Both read the whole library with the TypeScript compiler.
    this.timeout(60_000);

    it("is what its users know", () => {
        const settings = ts.readConfigFile(join(root, "tsconfig.json"), (path) => ts.sys.readFile(path));
        const { options } = ts.parseJsonConfigFileContent(settings.config, ts.sys, root);
        const entryPoint = join(root, "components/index.ts");
        const program = ts.createProgram([entryPoint], options);
        const surface = new Surface(program, entryPoint, join(root, "components/"));
        expectGolden("surface.txt", surface.describe());
        expect([...surface.unnamed], "types that stand in the surface and are not exported").to.deep.equal([]);
    });

    it("is one that Pulumi's other languages can be given", async () => {
        const components = getPulumiComponents(library);
        const provider = new ComponentProvider({ components, dirname: root, name: "pgha", version: "0.0.0" });
        const schema = JSON.parse(await provider.getSchema()) as unknown;
        expectGolden("schema.json", `${JSON.stringify(schema, null, 2)}\n`);
    });
});
