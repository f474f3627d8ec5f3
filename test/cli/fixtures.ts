import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterOperations, OperationsWorkload } from "../../components";
import { containersProbe, Part, ProbeAnswers } from "../../cli/probes";
import { HostAnswer } from "../../cli/status";
import { hostKey } from "../helpers/cluster";

/** Folder with what the programs of a real cluster answered. */
export const fixtures = join(__dirname, "fixtures");

export function fixture(name: string): string {
    return readFileSync(join(fixtures, name), "utf8");
}

const keys = ["db1", "db2", "db3"];

function workload(name: string, host: string): OperationsWorkload {
    return { name, host, label: `lab-${name}` };
}

/** The cluster `lab`, from which the fixtures are. */
export const operations: ClusterOperations = {
    clusterName: "lab",
    hosts: Object.fromEntries(
        keys.map((key, index) => [key, { address: `192.0.2.1${index + 1}`, user: "root", port: 22, hostKey }]),
    ),
    patroni: keys.map((key) => workload(`patroni-${key}`, key)),
    etcd: keys.map((key) => workload(`etcd-${key}`, key)),
    haproxy: keys.map((key) => workload("haproxy", key)),
    pgbouncer: keys.map((key) => workload("pgbouncer", key)),
    exporters: keys.map((key) => workload(`exporter-${key}`, key)),
    switchoverDirectory: "/srv/pgha/lab/.switchover",
    psql: { readWrite: "host=192.0.2.11 port=5433", readOnly: "host=192.0.2.11 port=5434", local: "host=/run" },
};

/** A certificate that ends in 2126. */
const certificate = fixture("server.crt");

/** What healthy hosts answer, by host. Tests change it. */
export function healthyAnswers(): Map<string, { answers: ProbeAnswers } & HostAnswer> {
    return new Map(
        keys.map((host) => {
            const texts: { [P in Part]: { [probe: string]: string } } = {
                patroni: {
                    cluster: fixture("patroni-cluster.json"),
                    local: fixture(`patroni-local-${host}.json`),
                    config: fixture("patroni-config.json"),
                    certificate,
                },
                etcd: { status: fixture(`etcd-status-${host}.json`), health: "", certificate },
                haproxy: { statistics: fixture("haproxy.csv"), certificate },
                pgbouncer: {
                    state: fixture("pgbouncer-state.csv"),
                    pools: fixture("pgbouncer-pools.csv"),
                    certificate,
                },
                // As without TLS between the parts.
                exporters: { up: "pg_up 1\n", certificate: "" },
            };
            const containers: string[] = [];
            const answers: ProbeAnswers = new Map();
            for (const [part, probes] of Object.entries(texts) as [Part, { [probe: string]: string }][]) {
                for (const { label } of operations[part].filter((candidate) => candidate.host === host)) {
                    containers.push(`${label}\trunning\tUp 2 minutes (healthy)`);
                    for (const [probe, stdout] of Object.entries(probes)) {
                        answers.set(`${label}/${probe}`, { status: 0, stdout, stderr: "" });
                    }
                }
            }
            answers.set(containersProbe, { status: 0, stdout: containers.join("\n"), stderr: "" });
            return [host, { answers }];
        }),
    );
}
