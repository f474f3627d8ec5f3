import { expect } from "chai";
import { Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { inspectCluster, readBackend } from "./helpers/inspection";
import { findLeaks, Source } from "./helpers/leaks";
import { ProcessWatch } from "./helpers/processes";
import { passwordsOf, privateKeyLinesOf, readState, startUp, up } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { note } from "./helpers/wait";

describe("no password and no private key is in the clear, nor in base64,", () => {
    let cluster: Cluster;
    let passwords: Map<string, string>;
    let secrets: Map<string, string>;
    let output: Source;
    let processes: Source[];

    before("pulumi up with a changed password and a new one, watched", async () => {
        cluster = await readCluster();
        await up({
            configFile: editSettings(({ applications = {} }) => {
                applications.watched = { allowDrop: true };
            }),
        });
        const before = passwordsOf(await readState());
        const configFile = editSettings(({ applications = {} }) => {
            applications.watched = { allowDrop: true, passwordGeneration: 2, roles: { watched_reader: {} } };
        });
        const update = startUp({ configFile, options: ["--diff"] });
        const watch = new ProcessWatch(Object.keys(cluster.nodes), update.pid);
        const { status, output: text } = await update.ended;
        processes = await watch.stop();
        expect(status, text).to.equal(0);
        output = { name: "output of pulumi up --diff", text };
        const state = await readState();
        const after = [...passwordsOf(state)].map(([name, password]) => [`${name} after`, password] as const);
        passwords = new Map([...before, ...after]);
        secrets = new Map([...passwords, ...privateKeyLinesOf(state)]);
    });

    after("pulumi up with the stack's own settings", async () => {
        await up();
        await waitForHealth(cluster);
    });

    it("for all passwords of the stack's outputs and state", function () {
        const searched = new Set(passwords.values());
        const shown = Object.values(cluster.applications).flatMap(({ password, roles }) => [
            password,
            ...Object.values(roles).map((role) => role.password),
        ]);
        for (const password of [...Object.values(cluster.passwords), ...shown]) {
            expect(searched.has(password)).to.equal(true);
        }
        note(this, `${searched.size} passwords`);
    });

    it("for the keys of all nodes, poolers and the authorities", function () {
        const keys = [...secrets.keys()].filter((name) => !passwords.has(name));
        for (const owner of [...Object.keys(cluster.nodes), "pgbouncer", "authority"]) {
            expect(
                keys.some((name) => name.includes(owner)),
                `${owner} of ${keys.join(", ")}`,
            ).to.equal(true);
        }
        note(this, `${keys.length} keys`);
    });

    it("in what Docker, Patroni and the exporters show, and in all logs", async function () {
        const sources = await inspectCluster(await readCluster());
        expect(findLeaks(sources, secrets)).to.deep.equal([]);
        note(this, `${sources.length} sources`);
    });

    it("in any process's command line or environment while pulumi up ran", function () {
        const [own, ...hosts] = processes;
        expect(own?.text).to.include("pulumi-resource-command");
        for (const host of hosts) expect(host.text, host.name).to.include("postgres");
        expect(findLeaks(processes, secrets)).to.deep.equal([]);
    });

    it("in the output of pulumi up", () => {
        expect(output.text).to.include("watched");
        expect(findLeaks([output], secrets)).to.deep.equal([]);
    });

    it("in the files of Pulumi's backend", function () {
        const sources = readBackend();
        expect(sources.some(({ name }) => name.endsWith("/lab.json"))).to.equal(true);
        expect(findLeaks(sources, secrets)).to.deep.equal([]);
        note(this, `${sources.length} files`);
    });
});
