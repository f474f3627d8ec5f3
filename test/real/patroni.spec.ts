import { expect } from "chai";
import { containerPaths } from "../../components/defaults";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { DcsKind, etcd3Settings } from "../../components/render/dcsSections";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import {
    renderPatroniBootstrapYaml,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
} from "../../components/render/patroniYaml";
import { restartParameters } from "../../components/render/restartParameters";
import { renderYaml } from "../../components/render/yaml";
import { etcdMember, patroniDynamic, patroniMember, patroniPasswords } from "../render/samples";
import { Container } from "./container";

describe("Patroni itself", () => {
    let etcd: Container;

    // Patroni's check wants to reach etcd.
    before(() => {
        const members = [{ name: etcdMember.name, address: "127.0.0.1", clientPort: 2379, peerPort: 2380 }];
        const files = { [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members }) };
        etcd = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], { files });
        etcd.waitFor(["etcdctl", "endpoint", "health"]);
    });
    after(() => etcd.remove());

    it("takes our configuration", () => {
        const directory = containerPaths.patroniConfigDirectory;
        const files = {
            [`${directory}/10-member.yml`]: renderPatroniMemberYaml({
                ...patroniMember,
                dcs: { kind: DcsKind.Etcd3, settings: etcd3Settings(["http://127.0.0.1:2379"]) },
            }),
            [`${directory}/20-bootstrap.yml`]: renderPatroniBootstrapYaml(patroniDynamic, true),
            [`${directory}/30-passwords.yml`]: renderPatroniPasswordsYaml(patroniPasswords),
        };
        const { status, stdout, stderr } = Container.run("patroni", ["patroni", "--validate-config", directory], {
            files,
            networkOf: etcd,
        });
        expect(stdout + stderr).to.equal("");
        expect(status).to.equal(0);
    });

    it("has a PostgreSQL that reads at its start what we say that it reads then", () => {
        const { status, stdout, stderr } = Container.run("patroni", ["postgres", "--describe-config"]);
        expect(status, stderr).to.equal(0);
        const contexts = stdout.split("\n").map((line) => line.split("\t"));
        const names = contexts.filter(([, context]) => context === "postmaster").map(([name = ""]) => name);
        expect(restartParameters).to.have.members(names);
    });

    it("reads text as text from our YAML", () => {
        const words = [
            "on",
            "no",
            "y",
            "010",
            "1_000",
            "12:30:45",
            "2026-01-31",
            "~",
            "0x1f",
            "1e3",
            "a: b",
            "#",
            "'",
            '"',
            "ünï",
            "",
        ];
        const data = { words, keys: Object.fromEntries(words.map((word) => [word, word])) };
        const program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open('/tmp/words.yml'))))";
        const { stdout, stderr } = Container.run("patroni", ["/opt/patroni/bin/python", "-c", program], {
            files: { "/tmp/words.yml": renderYaml(data) },
        });
        expect(stderr).to.equal("");
        expect(JSON.parse(stdout)).to.deep.equal(data);
    });
});

describe("PostgreSQL's parameters", () => {
    for (const memoryMiB of [512, 16384, 262144]) {
        it(`are taken by PostgreSQL as they are for ${memoryMiB} MiB`, () => {
            const { parameters } = normalizePatroniSettings({}, memoryMiB).dynamic;
            const script =
                'initdb -A trust -D /tmp/data >/dev/null && exec postgres -D /tmp/data -C shared_buffers "$@"';
            const given = Object.entries(parameters).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
            const { status, stderr } = Container.run("patroni", ["bash", "-c", script, "bash", ...given]);
            expect(stderr).to.equal("");
            expect(status).to.equal(0);
        });
    }
});
