import type { ClusterOperations } from "../components";
import { containerPaths, defaultPorts, systemRoles } from "../components/defaults";
import { etcdctl } from "../components/render/etcdYaml";
import { haproxyHealthPort } from "../components/render/haproxyCfg";
import { curlLocal } from "../components/render/http";
import { inContainerFunction, shellQuote, workloadLabel } from "../components/render/shell";

/** The parts of a cluster, as its description groups them. */
export type Part = "patroni" | "etcd" | "haproxy" | "pgbouncer" | "exporters";

/** What to ask. */
export interface Questions {
    parts: Part[];
    /** Whether to ask each container of them for its certificates, too. */
    certificates: boolean;
}

/** What a command on a host answered. */
export interface ProbeAnswer {
    status: number;
    stdout: string;
    stderr: string;
}

/** Answers by name; see {@link probeName}. */
export type ProbeAnswers = Map<string, ProbeAnswer>;

/** Name of the probe that lists a host's containers. */
export const containersProbe = "containers";

const withinTime = ["--max-time", "5"];
const pgbouncer = `in_container psql -X --csv -h ${containerPaths.pgbouncerSocket} -p ${defaultPorts.pgbouncer} -U ${systemRoles.pgbouncer} -d pgbouncer`;

/** Name of the probe for certificates, in every part. */
const certificateProbe = "certificate";

/** Prints the certificates that a container shows others, where it has some. A file may hold the key, too. */
const certificate = [
    "in_container sh -c",
    shellQuote(
        `for file in ${[
            containerPaths.serverCertificate,
            containerPaths.dcsCertificate,
            containerPaths.etcdCertificate,
            containerPaths.haproxyCertificate,
            containerPaths.pgbouncerCertificate,
            containerPaths.exporterCertificate,
        ].join(" ")}; do [ ! -e "$file" ] || awk "/BEGIN CERTIFICATE/,/END CERTIFICATE/" "$file"; done`,
    ),
].join(" ");

/** What is asked of each part in its containers. None of it needs a password. */
function probesOf({ internalTls }: Pick<ClusterOperations, "internalTls">) {
    const ask = (port: number, path: string, tls?: boolean): string =>
        ["in_container", ...curlLocal(withinTime, port, path, tls).map(shellQuote)].join(" ");
    const etcd = `in_container ${etcdctl(internalTls).join(" ")} -w json endpoint`;
    return {
        patroni: {
            /** All members, as the DCS has them. */
            cluster: ask(defaultPorts.patroniApi, "/cluster", internalTls),
            /** What the node knows of itself; also without the DCS. */
            local: ask(defaultPorts.patroniApi, "/patroni", internalTls),
            /** The dynamic configuration. */
            config: ask(defaultPorts.patroniApi, "/config", internalTls),
        },
        etcd: { status: `${etcd} status`, health: `${etcd} health` },
        haproxy: { statistics: ask(haproxyHealthPort, "/;csv") },
        pgbouncer: { state: `${pgbouncer} -c 'SHOW STATE'`, pools: `${pgbouncer} -c 'SHOW POOLS'` },
        exporters: { up: `${ask(defaultPorts.exporter, "/metrics", internalTls)} | grep '^pg_up '` },
    } as const satisfies { [P in Part]: { [probe: string]: string } };
}

/** Names of the probes of a part. */
export type ProbeOf<P extends Part> = (keyof ReturnType<typeof probesOf>[P] & string) | typeof certificateProbe;

/** Name of an answer: the container's label, and what was asked there. */
export function probeName<P extends Part>(label: string, probe: ProbeOf<P>): string {
    return `${label}/${probe}`;
}

/** The script that asks all that is to be asked on one host, at the same time, and prints a line for each answer. */
export function renderProbeScript(
    operations: ClusterOperations,
    host: string,
    { parts, certificates }: Questions,
): string {
    const probes = probesOf(operations);
    const further: { [probe: string]: string } = certificates ? { [certificateProbe]: certificate } : {};
    const asked = parts.flatMap((part) =>
        operations[part]
            .filter((workload) => workload.host === host)
            .flatMap(({ label }) =>
                Object.entries({ ...probes[part], ...further }).map(([probe, command]) => ({
                    name: `${label}/${probe}`,
                    setUp: inContainerFunction(label),
                    command,
                })),
            ),
    );
    const format = `{{.Label "${workloadLabel}"}}\\t{{.State}}\\t{{.Status}}`;
    const containers = `docker ps -a -f label=${workloadLabel} --format '${format}'`;
    return [
        "answers=$(mktemp -d)",
        "trap 'rm -rf \"$answers\"' EXIT",
        ...[{ name: containersProbe, setUp: ":", command: containers }, ...asked].flatMap(
            ({ setUp, command }, number) => [
                "(",
                setUp,
                "status=0",
                `{ ${command}; } >"$answers/${number}.out" 2>"$answers/${number}.err" || status=$?`,
                `echo "$status" >"$answers/${number}.status"`,
                ") &",
            ],
        ),
        "wait",
        'encoded() { base64 <"$answers/$1" | tr -d "\\n"; }',
        ...[containersProbe, ...asked.map(({ name }) => name)].map(
            (name, number) =>
                `echo "${name} $(cat "$answers/${number}.status") :$(encoded ${number}.out) :$(encoded ${number}.err)"`,
        ),
    ].join("\n");
}

/** Reads what the script of {@link renderProbeScript} printed. */
export function parseProbeAnswers(text: string): ProbeAnswers {
    const decode = (word: string): string => Buffer.from(word.slice(1), "base64").toString("utf8");
    return new Map(
        text
            .split("\n")
            .filter((line) => line !== "")
            .map((line) => {
                const [name = "", status = "1", stdout = ":", stderr = ":"] = line.split(" ");
                return [name, { status: Number(status), stdout: decode(stdout), stderr: decode(stderr) }];
            }),
    );
}
