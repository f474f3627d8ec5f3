import { expect } from "chai";
import { lines, onHost } from "../lab/helpers/hosts";
import { readSettings } from "../lab/helpers/settings";
import { describeExample } from "./helpers/everyExample";
import { hostsAs, LabMachines } from "./helpers/labMachines";

const labHost = "db1";

/** The table of addresses of seed 003, by the names of the containers here. */
const addresses = {
    "pg-ha-etcd-1": "172.19.0.50",
    "pg-ha-etcd-2": "172.19.0.51",
    "pg-ha-etcd-3": "172.19.0.52",
    "pg-ha-patroni-0": "172.19.0.53",
    "pg-ha-patroni-1": "172.19.0.54",
    "pg-ha-patroni-2": "172.19.0.55",
    "pg-ha-haproxy": "172.19.0.56",
};

describeExample(
    {
        folder: "single-host",
        machines: LabMachines.Single,
        settings: () => ({
            hosts: hostsAs(["docker"], { memoryMiB: 8192 }),
            images: readSettings().images,
            domain: "example.com",
        }),
        data: {
            isReused: true,
            kept: (node) => ({ volume: `pg-ha-${node}` }),
            removal:
                "docker volume ls --quiet --filter name=^pg-ha- | xargs --no-run-if-empty docker volume rm; rm -rf /srv/pgha/pg-ha",
        },
    },
    (up) => {
        it("every part has its static address", async () => {
            for (const [name, address] of Object.entries(addresses)) {
                const found = await inspect(name, "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}");
                expect(found.split(" "), name).to.include(address);
            }
        });

        it("write port 5432 and read port 5433", () => {
            const { readWrite, readOnly } = up().outputs.endpoints;
            const ports = [readWrite, readOnly].map((found) => found.map((endpoint) => endpoint.split(":")[1]));
            expect(ports).to.deep.equal([["5432"], ["5433"]]);
        });

        it("PostgreSQL is of version 17, on three nodes", async () => {
            const versions = await up().onEachNode("SHOW server_version_num");
            expect(versions.size).to.equal(3);
            for (const [node, [version]] of versions) expect(version, node).to.match(/^17/);
        });

        it("Patroni's REST API answers on the host at 8008, 8009 and 8010", async () => {
            const { address } = Object.values(up().outputs.operations.hosts)[0] ?? { address: "" };
            for (const port of [8008, 8009, 8010]) {
                const response = await fetch(`https://${address}:${port}/cluster`);
                const { members } = (await response.json()) as { members: unknown[] };
                expect(members, String(port)).to.have.lengthOf(3);
            }
        });

        it("an exporter beside each node reports it", async () => {
            const { metrics } = up().outputs.endpoints;
            expect(metrics.map((endpoint) => endpoint.split(":")[1])).to.deep.equal(["9187", "9188", "9189"]);
            for (const endpoint of metrics) {
                expect(await (await fetch(`https://${endpoint}/metrics`)).text(), endpoint).to.match(/^pg_up 1$/m);
            }
        });

        it("HAProxy carries Traefik's labels", async () => {
            const rule = '{{index .Config.Labels "traefik.http.routers.pg-haproxy.rule"}}';
            expect(await inspect("pg-ha-haproxy", rule)).to.equal("Host(`pg-haproxy.example.com`)");
        });

        it("the data is in named volumes", async () => {
            const volumes = lines(await onHost(labHost, ["docker", "volume", "ls", "--format", "{{.Name}}"]));
            expect(volumes).to.include.members(Object.keys(addresses).filter((name) => name !== "pg-ha-haproxy"));
        });

        it("limits of memory and CPU are those of the table", async () => {
            const limits = async (name: string): Promise<object> => {
                const format = "{{.HostConfig.Memory}} {{.HostConfig.CpuQuota}} {{.HostConfig.CpuPeriod}}";
                const [memory, quota, period] = (await inspect(name, format)).split(" ").map(Number);
                return { memoryMiB: (memory ?? 0) / 1024 ** 2, cpus: (quota ?? 0) / (period ?? 0) };
            };
            expect(await limits("pg-ha-patroni-0")).to.deep.equal({ memoryMiB: 2048, cpus: 1 });
            expect(await limits("pg-ha-etcd-1")).to.deep.equal({ memoryMiB: 256, cpus: 0.5 });
        });
    },
);

/** What `docker inspect` says of the container that carries a workload. */
async function inspect(workload: string, format: string): Promise<string> {
    const [id = ""] = lines(await onHost(labHost, ["docker", "ps", "-q", "-f", `label=pgha.workload=${workload}`]));
    return (await onHost(labHost, ["docker", "inspect", "--format", format, id])).trim();
}
