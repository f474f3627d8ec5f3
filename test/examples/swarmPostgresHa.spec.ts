import { expect } from "chai";
import { Example } from "../lab/helpers/example";
import { inContainer, lines, onHost } from "../lab/helpers/hosts";
import { readSettings } from "../lab/helpers/settings";
import { query, refusal, value } from "../lab/helpers/sql";
import { eventually, note } from "../lab/helpers/wait";
import { describeExample } from "./helpers/everyExample";
import { swarmHostsAs, LabMachines } from "./helpers/labMachines";
import { LiveExample } from "./helpers/liveExample";

const hostKeys = ["docker-infra-1", "docker-infra-2", "docker-infra-3"];
const manager = hostKeys[0];
const database = "postgres_ha_admin_test";

/** The tuning table of seed 000. */
const parameters = {
    shared_buffers: "512MB",
    effective_cache_size: "1536MB",
    work_mem: "16MB",
    maintenance_work_mem: "128MB",
    max_connections: "200",
    wal_keep_size: "2GB",
    synchronous_commit: "on",
    wal_level: "replica",
    hot_standby: "on",
    max_wal_senders: "10",
    max_replication_slots: "10",
};

/** The table of Patroni's settings of seed 000. */
const dynamicConfiguration = {
    ttl: 30,
    loop_wait: 10,
    retry_timeout: 6,
    maximum_lag_on_failover: 1048576,
    synchronous_mode: true,
    synchronous_mode_strict: false,
};

const hosts = (): { [key: string]: object } =>
    swarmHostsAs(hostKeys, (index) => ({ labels: { infra_node: String(index + 1) }, placementLabel: "infra_node" }));

describeExample(
    {
        folder: "swarm-postgres-ha",
        machines: LabMachines.Swarm,
        settings: () => {
            const { images, network } = readSettings();
            return { manager, hosts: hosts(), images, enableEncryption: network?.enableEncryption };
        },
        data: {
            isReused: true,
            kept: (node) => ({ file: `/srv/pgha/postgres-ha/${node}/17/data/PG_VERSION` }),
            removal: "rm -rf /srv/pgha/postgres-ha",
        },
    },
    (up) => {
        it("PostgreSQL has the figures of the tuning table", async () => {
            for (const [node, figures] of await up().parameters(Object.keys(parameters))) {
                expect(figures, node).to.deep.equal(parameters);
            }
        });

        it("Patroni has the figures of its table, and a retry_timeout that keeps two leaders apart", async () => {
            const [node] = up().workloads("patroni");
            if (node === undefined) expect.fail("no node");
            const text = await inContainer(node.labHost, node.label, ["patronictl", "show-config"]);
            for (const [name, figure] of Object.entries(dynamicConfiguration)) {
                expect(lines(text), name).to.include(`${name}: ${figure}`);
            }
            expect(text)
                .to.match(/^ +use_pg_rewind: true$/m)
                .and.to.match(/^ +use_slots: true$/m);
        });

        it("the members are pinned by the label infra_node", async () => {
            for (const [index, { label }] of up().workloads("patroni").entries()) {
                const format = '{{join .Spec.TaskTemplate.Placement.Constraints " "}}';
                const constraints = await onHost("db1", ["docker", "service", "inspect", "--format", format, label]);
                expect(constraints).to.include(`node.labels.infra_node==${index + 1}`);
            }
        });

        it("two HAProxies answer, and there is no PgBouncer", async () => {
            const { endpoints } = up().outputs;
            expect(endpoints.readWrite.map((endpoint) => endpoint.split(":")[1])).to.deep.equal(["5433", "5433"]);
            expect(endpoints.readOnly.map((endpoint) => endpoint.split(":")[1])).to.deep.equal(["5434", "5434"]);
            expect(endpoints.pooled).to.deep.equal([]);
            expect(up().urls.pooled).to.equal(undefined);
            const services = await onHost("db1", ["docker", "service", "ls", "--format", "{{.Name}} {{.Replicas}}"]);
            expect(services)
                .to.match(/^postgres-ha-haproxy 2\/2\b/m)
                .and.not.to.match(/pgbouncer/);
        });

        it("the administrator makes databases and roles, and is no superuser", () => administer(up()));

        describeApplication(up);
    },
);

async function administer(live: LiveExample): Promise<void> {
    const { login, endpoints } = live.target(live.outputs.administrators?.admin?.url ?? "");
    const endpoint = endpoints[0] ?? "";
    await query(endpoint, login, `CREATE ROLE ${database}`);
    await query(endpoint, login, `GRANT ${database} TO admin`);
    await query(endpoint, login, `CREATE DATABASE ${database} OWNER ${database}`);
    await query(endpoint, login, `DROP DATABASE ${database}`);
    await query(endpoint, login, `DROP ROLE ${database}`);
    expect(await value(endpoint, login, "SELECT rolsuper FROM pg_roles WHERE rolname = 'admin'")).to.equal(false);
    expect(await refusal(endpoint, login, "ALTER SYSTEM SET work_mem = '1MB'")).to.match(/^42501 /);
}

/** The second stack, which joins the cluster's network. */
function describeApplication(up: () => LiveExample): void {
    describe("an application in a stack of its own", () => {
        const application = new Example("swarm-postgres-ha/application");

        const countRecords = async (): Promise<number> => {
            const { login, endpoints } = up().target(up().urls.direct);
            return Number(await value(endpoints[0] ?? "", login, "SELECT count(*) FROM records"));
        };

        const recordsGrow = async (): Promise<void> => {
            const earlier = await countRecords();
            await eventually("the application records", 60, async () => {
                expect(await countRecords()).to.be.above(earlier + 2);
            });
        };

        before(async () => {
            const { images } = readSettings();
            const databases = "organization/swarm-postgres-ha/lab";
            await application.install({ databases, manager, hosts: hosts(), image: images.patroni });
        });

        after(() => application.remove());

        it("comes up on the cluster's network", async () => {
            await application.up();
            await eventually("its first record is there", 60, countRecords);
            await recordsGrow();
            await application.upChangesNothing();
        });

        it("finds both HAProxies under one name, and shows no password", async () => {
            const service = await onHost("db1", ["docker", "service", "ls", "--quiet", "--filter", "name=recorder"]);
            const inspected = await onHost("db1", ["docker", "service", "inspect", service.trim()]);
            const { login, endpoints } = up().target(up().urls.direct);
            expect(inspected).not.to.include(login.password);
            const peers = await value(
                endpoints[0] ?? "",
                login,
                "SELECT count(DISTINCT client_addr) FROM pg_stat_activity WHERE usename = 'homeassistant'",
            );
            expect(Number(peers)).to.be.at.least(1);
        });

        it("goes on after a switchover", async function () {
            const { output } = await up().pghaSucceeds("switchover", "--yes");
            note(this, output.trim().replaceAll("\n", ", "));
            await recordsGrow();
        });
    });
}
