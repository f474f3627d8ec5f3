import { expect } from "chai";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { repositoryRoot, run } from "./helpers/command";
import { onHost } from "./helpers/hosts";
import { destroy, up } from "./helpers/pulumi";
import { readSettings } from "./helpers/settings";
import { parseUrl, query, refusal, value } from "./helpers/sql";
import { inSeconds, note } from "./helpers/wait";

const example = "import-into-stack";
const stack = "lab-import";
const timeoutSeconds = 600;

/** The example's cluster takes the ports of the lab's own, which therefore goes for that time. */
describe("a second program that imports the package", () => {
    let hosts: string[];
    const directory = mkdtempSync(join(tmpdir(), "pgha-import-"));
    const program = join(directory, example);

    const pulumi = (verb: string, ...options: string[]): Promise<{ stdout: string; seconds: number }> =>
        run("pulumi", ["--cwd", program, ...verb.split(" "), "--stack", stack, ...options], { timeoutSeconds });
    const update = ["--yes", "--skip-preview", "--non-interactive"];

    before(async function () {
        this.timeout(timeoutSeconds * 1000);
        const { images, network, swarm, ...others } = readSettings();
        hosts = Object.keys(others.hosts);
        await destroy();
        await install(program);
        const settings = {
            hosts: others.hosts,
            images,
            manager: swarm.manager,
            enableEncryption: network?.enableEncryption,
        };
        const config = Object.fromEntries(
            Object.entries(settings).map(([key, setting]) => [`${example}:${key}`, setting]),
        );
        await pulumi("stack init", "--no-select");
        writeFileSync(join(program, `Pulumi.${stack}.yaml`), stringify({ config }));
    });

    after(async function () {
        this.timeout(timeoutSeconds * 1000);
        await pulumi("destroy", ...update);
        await pulumi("stack rm", "--yes", "--force");
        // This cluster was made for the test only, so its data goes, too.
        await Promise.all(hosts.map((host) => onHost(host, ["rm", "-rf", "/srv/pgha/orders-db"])));
        rmSync(directory, { recursive: true });
        await up();
    });

    it("brings a whole cluster up", async function () {
        const { seconds } = await pulumi("up", ...update);
        note(this, inSeconds(seconds));
    });

    it("its application reads and writes, and its reporting role only reads", async () => {
        const { stdout } = await pulumi("stack output", "--json", "--show-secrets");
        const outputs = JSON.parse(stdout) as {
            urls: { direct: string; pooled: string };
            reporting: { urls: { direct: string } };
        };
        const owner = parseUrl(outputs.urls.direct);
        await query(owner.endpoints[0] ?? "", owner.login, "CREATE TABLE orders (n int)");
        const pooled = parseUrl(outputs.urls.pooled);
        await query(pooled.endpoints[0] ?? "", pooled.login, "INSERT INTO orders VALUES (1)");
        const reporting = parseUrl(outputs.reporting.urls.direct);
        const endpoint = reporting.endpoints[0] ?? "";
        expect(await value(endpoint, reporting.login, "SELECT n FROM orders")).to.equal(1);
        expect(await refusal(endpoint, reporting.login, "DELETE FROM orders")).to.match(/^42501 /);
    });

    it("a second up changes nothing", async () => {
        await pulumi("up", ...update, "--expect-no-changes");
    });
});

/** Packs this package as it would be published, and installs it into a copy of the example. */
async function install(program: string): Promise<void> {
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", join(program, "..")], {
        timeoutSeconds,
    });
    const tarball = join(program, "..", stdout.trim().split("\n").at(-1) ?? "");
    cpSync(join(repositoryRoot, "examples", example), program, { recursive: true });
    const options = ["--no-audit", "--no-fund", "--loglevel=error"];
    await run("npm", ["install", "--prefix", program, ...options, tarball], { timeoutSeconds });
}
