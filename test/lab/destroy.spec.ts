import { expect } from "chai";
import { defaultDataRoot } from "../../components/defaults";
import type { Login } from "../../lab/drill/session";
import {
    Application,
    applicationOf,
    Cluster,
    readCluster,
    readSystemIdentifier,
    waitForHealth,
} from "./helpers/cluster";
import { existsOnHost, onHost } from "./helpers/hosts";
import { destroy, passwordsOf, readState, startUp, up } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { parseUrl, query, refusal, value } from "./helpers/sql";
import { eventually, inSeconds, note } from "./helpers/wait";

const table = "destroy_test";

/** The issue's own bound from an empty Swarm to the first accepted write. */
const firstWriteSeconds = 90;

/** A data root beside the stack's own, so that a cluster can be made from nothing while the old data stays. */
const emptyDataRoot = "/srv/pgha-lab-test";

/** Tries to write from before the owner's password is known until a write is accepted; gives the seconds that it took. */
async function firstAcceptedWrite(owner: Login, endpoints: string[]): Promise<number> {
    const startedAt = performance.now();
    const password = await eventually("the owner has a password", firstWriteSeconds, async () => {
        const found = passwordsOf(await readState()).get("lab-application-app-owner");
        if (found === undefined) throw new Error("the state holds none yet");
        return found;
    });
    const create = `CREATE TABLE IF NOT EXISTS ${table} (n int)`;
    const insert = `INSERT INTO ${table} VALUES (0)`;
    const remaining = firstWriteSeconds - (performance.now() - startedAt) / 1000;
    await eventually("a write is accepted", remaining, () =>
        query(endpoints[0] ?? "", { ...owner, password }, `${create}; ${insert}`),
    );
    return (performance.now() - startedAt) / 1000;
}

describe("destroy and up again", () => {
    let clusterName = "";
    let dataRoot = "";
    let hosts: string[];
    let earlier: Cluster;
    let app: Application;
    let identifier = "";

    before(async () => {
        const settings = readSettings();
        clusterName = settings.clusterName;
        dataRoot = settings.dataRoot ?? defaultDataRoot;
        hosts = Object.keys(settings.hosts);
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
        const [manager = ""] = hosts;
        const label = `label=pgha.cluster=${clusterName}`;
        for (const kind of ["service", "secret", "config", "network"]) {
            const left = await onHost(manager, ["docker", kind, "ls", "--quiet", "--filter", label]);
            expect(left.trim(), `${kind}s left`).to.equal("");
        }
        expect((await readState()).resources ?? []).to.have.lengthOf(0);
        for (const host of hosts) {
            const directory = `${dataRoot}/${clusterName}/patroni-${host}`;
            expect(await existsOnHost(host, `${directory}/17/data/PG_VERSION`), `${directory} on ${host}`).to.equal(
                true,
            );
        }
    });

    it(`up from nothing: the first write is accepted within ${firstWriteSeconds} s`, async function () {
        const configFile = editSettings((settings) => {
            settings.dataRoot = emptyDataRoot;
        });
        const { login, endpoints } = parseUrl(app.urls.direct);
        const removeData = (): Promise<string[]> =>
            Promise.all(hosts.map((host) => onHost(host, ["rm", "-rf", emptyDataRoot])));
        await removeData();
        const bringUp = startUp({ configFile });
        try {
            const firstWrite = await firstAcceptedWrite(login, endpoints);
            const { status, seconds, output } = await bringUp.ended;
            expect(status, output).to.equal(0);
            note(this, `first accepted write ${inSeconds(firstWrite)}, all of up ${inSeconds(seconds)}`);
            expect(await readSystemIdentifier(await readCluster())).not.to.equal(identifier);
        } finally {
            await bringUp.ended;
            await destroy({ configFile });
            await removeData();
        }
    });

    it("up on the old data succeeds", async function () {
        const { seconds } = await up();
        note(this, inSeconds(seconds));
        app = applicationOf(await readCluster(), "app");
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
