import { expect } from "chai";
import {
    Application,
    applicationOf,
    Cluster,
    readCluster,
    readSystemIdentifier,
    waitForHealth,
} from "./helpers/cluster";
import { existsOnHost, onHost } from "./helpers/hosts";
import { destroy, readState, up } from "./helpers/pulumi";
import { readSettings } from "./helpers/settings";
import { parseUrl, query, refusal, value } from "./helpers/sql";
import { eventually, inSeconds, note } from "./helpers/wait";

const table = "destroy_test";

/** The issue's own bound from an empty Swarm to the first accepted write. */
const firstWriteSeconds = 90;

describe("destroy and up again", () => {
    const { clusterName, hosts } = readSettings();
    let earlier: Cluster;
    let app: Application;
    let identifier = "";

    before(async () => {
        const cluster = await readCluster();
        await waitForHealth(cluster);
        earlier = cluster;
        app = applicationOf(cluster, "app");
        identifier = await readSystemIdentifier(cluster);
        const { login, endpoints } = parseUrl(app.urls.direct);
        await query(endpoints[0] ?? "", login, `CREATE TABLE IF NOT EXISTS ${table} (n int)`);
        await query(endpoints[0] ?? "", login, `TRUNCATE ${table}`);
        await query(endpoints[0] ?? "", login, `INSERT INTO ${table} SELECT generate_series(1, 1000)`);
    });

    it("destroy removes everything from the Swarm and leaves the data", async function () {
        const { seconds } = await destroy();
        note(this, inSeconds(seconds));
        const [manager = ""] = Object.keys(hosts);
        const label = `label=pgha.cluster=${clusterName}`;
        for (const kind of ["service", "secret", "config", "network"]) {
            const left = await onHost(manager, ["docker", kind, "ls", "--quiet", "--filter", label]);
            expect(left.trim(), `${kind}s left`).to.equal("");
        }
        expect((await readState()).resources ?? []).to.have.lengthOf(0);
        for (const host of Object.keys(hosts)) {
            const directory = `/srv/pgha/${clusterName}/patroni-${host}`;
            expect(await existsOnHost(host, `${directory}/17/data/PG_VERSION`), `${directory} on ${host}`).to.equal(
                true,
            );
        }
    });

    it("up takes a write soon after an empty Swarm", async function () {
        const startedAt = performance.now();
        const { seconds } = await up();
        const cluster = await readCluster();
        app = applicationOf(cluster, "app");
        const { login, endpoints } = parseUrl(app.urls.direct);
        await eventually("the first write is accepted", firstWriteSeconds, () =>
            query(endpoints[0] ?? "", login, `INSERT INTO ${table} VALUES (0)`),
        );
        const firstWrite = (performance.now() - startedAt) / 1000;
        note(this, `up ${inSeconds(seconds)}, first accepted write ${inSeconds(firstWrite)}`);
        expect(firstWrite).to.be.at.most(firstWriteSeconds);
    });

    it("the old rows are there, in the same cluster, on every node", async () => {
        const cluster = await readCluster();
        await waitForHealth(cluster);
        expect(await readSystemIdentifier(cluster)).to.equal(identifier);
        const { login } = parseUrl(app.urls.direct);
        for (const node of Object.values(cluster.nodes)) {
            await eventually(`all rows are on ${node.name}`, 10, async () => {
                const count = await value(node.postgres, login, `SELECT count(*) FROM ${table} WHERE n > 0`);
                expect(count).to.equal("1000");
            });
        }
    });

    it("the passwords are new, and those of the earlier life are refused", async () => {
        const { login, endpoints } = parseUrl(applicationOf(earlier, "app").urls.direct);
        expect(await refusal(endpoints[0] ?? "", login)).to.match(/^28P01 /);
        const superuser = { user: "postgres", password: earlier.passwords.postgres ?? "", database: "postgres" };
        expect(await refusal(endpoints[0] ?? "", superuser)).to.match(/^28P01 /);
    });

    it("another up changes nothing", async () => {
        await up({ options: ["--expect-no-changes"] });
        const { login, endpoints } = parseUrl(app.urls.direct);
        await query(endpoints[0] ?? "", login, `DROP TABLE ${table}`);
    });
});
