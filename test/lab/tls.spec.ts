import { expect } from "chai";
import { applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { attempt } from "./helpers/command";
import { inContainer } from "./helpers/hosts";
import { destroy, up } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { inSeconds, note } from "./helpers/wait";
import { describeWriters, Writers } from "./helpers/writers";

const updateSeconds = 600;

describe("TLS between the cluster's parts", () => {
    let cluster: Cluster;
    const hosts = (): string[] => Object.keys(cluster.nodes);
    const ownNode = (host: string, command: string[]): Promise<string> =>
        inContainer(host, `${readSettings().clusterName}-patroni-${host}`, command);

    before(async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
    });

    // A generation never goes back in a living stack.
    after("pulumi destroy and up, on the same data, with the stack's own settings", async function () {
        this.timeout("15m");
        await destroy();
        await up();
        await waitForHealth(await readCluster());
    });

    it("etcd lets nobody in without a certificate, and Patroni with its own", async () => {
        for (const [host, { address }] of Object.entries(cluster.nodes)) {
            const url = `https://${address}:2379/version`;
            const stranger = await attempt("curl", ["-sS", "--insecure", "--max-time", "5", url]);
            expect(stranger.status, host).not.to.equal(0);
            expect(stranger.output, host).not.to.include("etcdserver");
            const files = ["--cacert", "dcs-ca.crt", "--cert", "dcs.crt"].map((word) =>
                word.endsWith(".crt") ? `/etc/patroni/${word}` : word,
            );
            const member = await ownNode(host, ["curl", "-fsS", ...files, "--key", "/run/secrets/dcs.key", url]);
            expect(member, host).to.include("etcdserver");
        }
    });

    it("Patroni, HAProxy and the exporters speak nothing else", async () => {
        const endpoints = [
            ...Object.values(cluster.nodes).map(({ patroniApi }) => new URL(patroniApi).host),
            ...cluster.endpoints.statistics,
            ...cluster.endpoints.metrics,
        ];
        for (const endpoint of endpoints) {
            // Verified: the process trusts the stack's own authorities.
            expect((await fetch(`https://${endpoint}/metrics`)).status, endpoint).to.be.oneOf([200, 401]);
            const plain = await fetch(`http://${endpoint}/metrics`).then(
                ({ status }) => status,
                () => 0,
            );
            expect(plain, endpoint).not.to.equal(200);
        }
    });

    it("replicas verify their primary", async () => {
        const sql = "SELECT count(*) FROM pg_stat_replication JOIN pg_stat_ssl USING (pid) WHERE ssl";
        const counts = hosts().map(async (host) => {
            const psql = ["psql", "-X", "-t", "-A", "-h", "/var/run/postgresql", "-U", "postgres"];
            const conninfo = await ownNode(host, [...psql, "-c", "SHOW primary_conninfo"]);
            return { count: Number(await ownNode(host, [...psql, "-c", sql])), conninfo };
        });
        const found = await Promise.all(counts);
        expect(found.reduce((sum, { count }) => sum + count, 0)).to.equal(hosts().length - 1);
        expect(found.filter(({ conninfo }) => conninfo.includes("sslmode=verify-full"))).to.have.length.at.least(
            hosts().length - 1,
        );
    });

    it("a change to plain text, and authorities that nobody trusts yet, are refused in the preview", async () => {
        for (const [tls, words] of [
            [{ enableInternalTls: false }, "etcd's members know each other by URL"],
            [{ authorityGeneration: 3 }, "Change it by one"],
        ] as const) {
            const configFile = editSettings((settings) => {
                settings.tls = { ...settings.tls, ...tls };
            });
            const preview = ["preview", "--stack", "lab", "--non-interactive", "--config-file", configFile];
            const { status, output } = await attempt("pulumi", preview);
            expect(status, output).not.to.equal(0);
            expect(output).to.include(words);
        }
    });

    it("a rotation of all authorities loses no row, and clients with the old certificates go on", async function () {
        const before = cluster.caCertificate;
        const writers = await Writers.start(cluster, applicationOf(cluster, "app"));
        const configFile = editSettings((settings) => {
            settings.tls = { ...settings.tls, authorityGeneration: 2 };
        });
        const { seconds } = await up({ configFile }).catch(async (error: unknown) => {
            await writers.abandon();
            throw error;
        });
        // Still with what this process trusted before the change.
        await waitForHealth(cluster);
        const result = await writers.stop();
        note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
        cluster = await readCluster();
        expect(cluster.caCertificate).not.to.equal(before);
        await up({ configFile, options: ["--expect-no-changes"] });
    }).timeout(2 * updateSeconds * 1000);
});
