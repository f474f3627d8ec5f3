import { expect } from "chai";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { checkCluster } from "../../components/checks/cluster";
import { parseSettings, type Settings } from "../../settings";
import { createCluster, hostArgs, hostKey, image } from "../../test/helpers/cluster";
import { record } from "../../test/helpers/mocks";
import type { Recording } from "../../test/helpers/recording";
import { changes } from "./changes";

const namespace = "pulumi-postgres-ha";
const stackFile = readFileSync(join(__dirname, "../stack.yaml"), "utf8");

/** The lab's settings, with documentation values where lab/stack-config.sh fills in what the machine has. */
function labSettings(): Settings {
    const text = stackFile
        .replaceAll(/@ADDRESS_db(\d)@/g, "192.0.2.1$1")
        .replaceAll(/@HOST_KEY_\w+@/g, hostKey)
        .replaceAll(/@IMAGE_(\w+)@/g, (_, name: string) => image(name))
        .replaceAll("@ESP@", "true");
    const { config } = parse(text) as { config: { [key: string]: unknown } };
    const entries = Object.entries(config).map(([key, value]) => [key.replace(`${namespace}:`, ""), value] as const);
    return parseSettings(Object.fromEntries(entries), namespace);
}

function edited(name: string): Settings {
    const settings = labSettings();
    const change = changes.find((each) => each.name === name);
    if (change?.needsSpareHosts) settings.hosts = { ...hostArgs(5), ...settings.hosts };
    change?.edit?.(settings);
    return parseSettings(settings, namespace);
}

/** Names of one service for each key. */
function each(kind: string, keys = ["db1", "db2", "db3"]): string[] {
    return keys.map((key) => `lab-${kind}-${key}`);
}

const all = [...each("etcd"), ...each("exporter"), "lab-haproxy", ...each("patroni"), "lab-pgbouncer"];

/** What takes HAProxy and PgBouncer from hosts. */
const released = "pg-released";

/** The services that each change makes, replaces or removes, but for what new certificates do. */
const touched: { [change: string]: string[] } = {
    "patroni-resources": each("patroni"),
    "patroni-image": each("patroni"),
    "max-connections": [],
    ttl: [],
    "patroni-two": [...each("exporter", ["db3"]), "lab-haproxy", ...each("patroni", ["db3"])],
    "patroni-four": [...each("exporter", ["db4"]), "lab-haproxy", ...each("patroni", ["db4"])],
    "patroni-move": [...each("exporter", ["db3"]), "lab-haproxy", ...each("patroni", ["db3"])],
    "etcd-resources": each("etcd"),
    "etcd-five": each("etcd", ["db4", "db5"]),
    // Patroni knows three members of etcd by address.
    "etcd-move": [...each("etcd", ["db3"]), ...each("patroni")],
    "haproxy-timeout": ["lab-haproxy"],
    // PgBouncer knows the HAProxies by host.
    "haproxy-two": ["lab-pgbouncer", released],
    "pgbouncer-pool": ["lab-pgbouncer"],
    "pgbouncer-two": [released],
    passwords: all.filter((service) => !service.startsWith("lab-etcd-")),
    authorities: all,
};

describe("planned changes", () => {
    let earlier: Recording;

    const recordLab = (settings: Settings, previous?: Recording): Promise<Recording> =>
        record(() => void createCluster(settings), { previous });

    before(async () => {
        earlier = await recordLab(labSettings());
    });

    it("end with those that have no way back", () => {
        const places = changes.map((change) => change.oneWay === true);
        expect(places.lastIndexOf(false)).to.be.below(places.indexOf(true));
    });

    it("keep the digest of an image that gets another tag", () => {
        const digest = image("patroni").split("@")[1];
        expect(edited("patroni-image").images.patroni).to.equal(`registry.example.com/pgha/patroni:drill@${digest}`);
    });

    for (const { name } of changes.filter(({ edit }) => edit !== undefined)) {
        it(`${name} is let through, and reaches the services that it should`, async () => {
            const settings = edited(name);
            expect(checkCluster(settings.clusterName, settings)).to.deep.equal([]);
            const later = await recordLab(settings, earlier);
            const services = [earlier, later].flatMap((recording) => recording.ofType("Service"));
            const names = new Set([released, ...services.map((service) => service.name)]);
            const changed = later.changedSince(earlier).filter((resource) => names.has(resource));
            expect(changed).to.deep.equal(touched[name]);
        });
    }
});
