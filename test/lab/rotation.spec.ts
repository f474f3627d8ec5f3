import { expect } from "chai";
import { systemLogins, systemRoles } from "../../components/defaults";
import { loginName } from "../../components/render/roleSql";
import type { Login } from "../../lab/drill/session";
import { Application, applicationOf, Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { run } from "./helpers/command";
import { destroy, startUp, up } from "./helpers/pulumi";
import { editSettings } from "./helpers/settings";
import { parseUrl, refusal, value } from "./helpers/sql";
import { eventually, inSeconds, note } from "./helpers/wait";
import { describeWriters, patientMs, Writers } from "./helpers/writers";

/** Roles whose login has another name for each generation. */
const numbered = [systemRoles.replication, systemRoles.rewind, systemRoles.exporter, systemRoles.pgbouncer];

describe("passwords are rotated while the cluster serves:", () => {
    let cluster: Cluster;
    let app: Application;

    before(async () => {
        await up();
        cluster = await readCluster();
        await waitForHealth(cluster);
        app = applicationOf(cluster, "app");
    });

    // A generation never goes back in a living stack.
    after("pulumi destroy and up, on the same data, with the stack's own settings", async function () {
        this.timeout("15m");
        await destroy();
        await up();
        await waitForHealth(await readCluster());
    });

    const withGeneration = (all: number): string =>
        editSettings((settings) => {
            const { applications = {} } = settings;
            settings.passwordGenerations = { all };
            applications.app = { ...applications.app, passwordGeneration: 2 };
        });

    const loginOf = (role: string, generation: number, { passwords }: Cluster): Login => ({
        user: role === systemRoles.superuser ? role : loginName(role, generation),
        password: passwords[role] ?? "",
        database: "postgres",
    });

    /** Each login of one generation works on every node, and none of the other does. */
    async function expectChanged(
        current: { generation: number; cluster: Cluster },
        old: { generation: number; cluster: Cluster },
    ): Promise<void> {
        for (const { name, postgres } of Object.values(cluster.nodes)) {
            for (const role of [systemRoles.superuser, ...numbered]) {
                const login = loginOf(role, current.generation, current.cluster);
                expect(await value(postgres, login, "SELECT session_user"), name).to.equal(login.user);
                const before = loginOf(role, old.generation, old.cluster);
                expect(await refusal(postgres, before), name).to.match(/^28/);
            }
        }
        const user = systemLogins.patroniApi;
        const reload = async (url: string, password = ""): Promise<number> => {
            const headers = { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}` };
            return (await fetch(`${url}/reload`, { method: "POST", headers })).status;
        };
        for (const { name, patroniApi } of Object.values(cluster.nodes)) {
            expect(await reload(patroniApi, current.cluster.passwords["patroni-api"]), name).to.be.oneOf([200, 202]);
            expect(await reload(patroniApi, old.cluster.passwords["patroni-api"]), name).to.equal(401);
        }
    }

    async function statisticsStatus(endpoint: string, password = ""): Promise<number> {
        const token = Buffer.from(`${systemLogins.haproxyStats}:${password}`).toString("base64");
        return (await fetch(`https://${endpoint}/`, { headers: { authorization: `Basic ${token}` } })).status;
    }

    it("all at once, under load: nothing is lost, and nothing fails through PgBouncer", async function () {
        this.timeout("15m");
        const writers = await Writers.start(cluster, app, patientMs);
        try {
            const { seconds } = await up({ configFile: withGeneration(2) });
            const result = await writers.stop();
            note(this, `${inSeconds(seconds)}; ${describeWriters(result)}`);
            expect(result.failed.pooled, result.reasons.pooled).to.equal(0);
        } finally {
            await writers.abandon();
        }
        const rotated = await readCluster();
        await waitForHealth(rotated);
        await expectChanged({ generation: 2, cluster: rotated }, { generation: 1, cluster });
        await up({ configFile: withGeneration(2), options: ["--expect-no-changes"] });
    });

    it("what clients outside the cluster have is valid beside the new one", async () => {
        const rotated = await readCluster();
        for (const path of ["direct", "readOnly", "pooled"] as const) {
            for (const { urls } of [app, applicationOf(rotated, "app")]) {
                const { login, endpoints } = parseUrl(urls[path]);
                for (const endpoint of endpoints) {
                    expect(await value(endpoint, login, "SELECT current_user"), login.user).to.equal(app.owner);
                }
            }
        }
        for (const endpoint of cluster.endpoints.statistics) {
            for (const { passwords } of [cluster, rotated]) {
                expect(await statisticsStatus(endpoint, passwords["haproxy-statistics"]), endpoint).to.equal(200);
            }
            expect(await statisticsStatus(endpoint, "another"), endpoint).to.equal(401);
        }
    });

    it("twice in a row, the first time killed between the logins and the roll-out: the next up finishes", async function () {
        this.timeout("20m");
        const second = await readCluster();
        const killed = startUp({ configFile: withGeneration(3) });
        await eventually("the first node is about to change", 120, () => {
            expect(killed.output()).to.match(
                /patroni-db1-prepare updated|docker:index:Service lab-patroni-db1 updating/,
            );
        });
        killed.kill();
        expect((await killed.ended).status).to.equal("SIGKILL");
        await run("scripts/repair-stack.sh", ["lab"], { timeoutSeconds: 120 });
        const { seconds } = await up({ configFile: withGeneration(4) });
        note(this, inSeconds(seconds));
        const fourth = await readCluster();
        await waitForHealth(fourth);
        await expectChanged({ generation: 4, cluster: fourth }, { generation: 2, cluster: second });
        const [node] = Object.values(cluster.nodes);
        const logins = await value(
            node?.postgres ?? "",
            loginOf(systemRoles.superuser, 4, fourth),
            "SELECT array_agg(rolname::text ORDER BY rolname) FROM pg_roles WHERE rolcanlogin AND rolname ~ '^(replicator|rewinder|exporter|pgbouncer)'",
        );
        expect(logins).to.deep.equal(["exporter_4", "pgbouncer_4", "replicator_4", "rewinder_4"]);
    });
});
