import { expect } from "chai";
import { parse } from "yaml";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import {
    renderPatroniBootstrapYaml,
    renderPatroniDynamicJson,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
} from "../../components/render/patroniYaml";
import { expectGolden } from "./golden";
import { patroniDynamic, patroniMember, patroniPasswords } from "./samples";

describe("render/patroniYaml", () => {
    it("renders a member", () => expectGolden("patroni-member.yml", renderPatroniMemberYaml(patroniMember)));

    it("renders a member that talks TLS to etcd", () => {
        const settings = etcd3Settings(["https://192.0.2.11:2379", "https://192.0.2.12:2379"]);
        const dcs = { kind: DcsKind.Etcd3, settings };
        const { etcd3 } = parse(renderPatroniMemberYaml({ ...patroniMember, dcs })) as { etcd3: unknown };
        expect(etcd3).to.deep.equal({ protocol: "https", hosts: ["192.0.2.11:2379", "192.0.2.12:2379"] });
    });

    it("renders the bootstrap section, with checksums", () =>
        expectGolden("patroni-bootstrap.yml", renderPatroniBootstrapYaml(patroniDynamic, true)));

    it("renders the bootstrap section without checksums", () => {
        const { bootstrap } = parse(renderPatroniBootstrapYaml(patroniDynamic, false)) as {
            bootstrap: { initdb: unknown };
        };
        expect(bootstrap.initdb).to.deep.equal([{ encoding: "UTF8" }, { locale: "C.UTF-8" }]);
    });

    it("renders the passwords, and only there", () => {
        expectGolden("patroni-passwords.yml", renderPatroniPasswordsYaml(patroniPasswords));
        const others = renderPatroniMemberYaml(patroniMember) + renderPatroniBootstrapYaml(patroniDynamic, true);
        for (const password of Object.values(patroniPasswords)) {
            expect(others).not.to.include(password);
        }
    });

    it("renders the dynamic configuration", () =>
        expectGolden(
            "patroni-dynamic.json",
            `${JSON.stringify(JSON.parse(renderPatroniDynamicJson(patroniDynamic)), undefined, 2)}\n`,
        ));

    it("says the same in the bootstrap section and in the dynamic configuration", () => {
        const { bootstrap } = parse(renderPatroniBootstrapYaml(patroniDynamic, true)) as {
            bootstrap: { dcs: unknown };
        };
        expect(JSON.parse(renderPatroniDynamicJson(patroniDynamic))).to.deep.equal(bootstrap.dcs);
    });

    it("renders the same dynamic configuration whatever the order of the parameters", () => {
        const parameters = Object.fromEntries(Object.entries(patroniDynamic.parameters).reverse());
        expect(renderPatroniDynamicJson({ ...patroniDynamic, parameters })).to.equal(
            renderPatroniDynamicJson(patroniDynamic),
        );
    });
});
