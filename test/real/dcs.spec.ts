import { expect } from "chai";
import { containerPaths, systemRoles } from "../../components/defaults";
import { SlotType } from "../../components";
import { normalizePatroniSettings } from "../../components/patroniSettings";
import { renderConsulJson } from "../../components/render/consulJson";
import { consulSettings, DcsKind, DcsSection, etcd3Settings } from "../../components/render/dcsSections";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import {
    renderPatroniBootstrapYaml,
    renderPatroniMemberYaml,
    renderPatroniPasswordsYaml,
} from "../../components/render/patroniYaml";
import { scramVerifier } from "../../components/render/scram";
import { RoleAttribute } from "../../components/render/roleSql";
import { renderApplicationSql, RoleAccess } from "../../components/render/sql";
import { etcdMember, patroniMember, patroniPasswords } from "../render/samples";
import { Container, ProgramResult } from "./container";

const dynamic = normalizePatroniSettings(
    {
        parameters: { wal_level: "logical", shared_buffers: "32MB", fsync: "off" },
        slots: {
            cdc: { type: SlotType.Logical, database: "shop", plugin: "test_decoding" },
            archive: { type: SlotType.Physical },
        },
        ignoreSlots: [{ plugin: "pgoutput" }],
    },
    512,
).dynamic;

/** A Patroni of our image with our configuration, in the network of its store. */
function startPatroni(store: Container, dcs: DcsSection): Container {
    const directory = containerPaths.patroniConfigDirectory;
    const member = { ...patroniMember, address: "127.0.0.1", dcs };
    const patroni = Container.start("patroni", ["patroni", directory], {
        files: {
            [`${directory}/10-member.yml`]: renderPatroniMemberYaml(member),
            [`${directory}/20-bootstrap.yml`]: renderPatroniBootstrapYaml(dynamic, true),
            [`${directory}/30-passwords.yml`]: renderPatroniPasswordsYaml(patroniPasswords),
        },
        networkOf: store,
    });
    patroni.waitFor(["curl", "-fsS", "http://127.0.0.1:8008/primary"], 60);
    return patroni;
}

function startEtcd(): Container {
    const members = [{ name: etcdMember.name, address: "127.0.0.1", clientPort: 2379, peerPort: 2380 }];
    const files = { [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members }) };
    const etcd = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], { files });
    etcd.waitFor(["etcdctl", "endpoint", "health"]);
    return etcd;
}

function startConsul(): Container {
    const config = renderConsulJson({
        name: "consul-db1",
        address: "127.0.0.1",
        addresses: ["127.0.0.1"],
        datacenter: "pg",
        httpPort: 8500,
        serverPort: 8300,
        gossipPort: 8301,
    });
    const command = ["consul", "agent", "-config-file", containerPaths.consulConfig];
    const consul = Container.start("consul", command, { files: { [containerPaths.consulConfig]: config } });
    consul.waitFor(["curl", "-fsS", "http://127.0.0.1:8500/v1/operator/autopilot/health"]);
    return consul;
}

function psql(patroni: Container, sql: string): string {
    const conninfo = `host=${containerPaths.postgresSocket} user=${systemRoles.superuser} dbname=postgres`;
    return succeeded(patroni.exec(["psql", "-X", "-q", "-t", "-A", "-d", conninfo, "-f", "-"], sql)).trim();
}

function succeeded({ status, stdout, stderr }: ProgramResult): string {
    expect(status, stderr).to.equal(0);
    return stdout;
}

describe("Patroni with a store that somebody else runs", () => {
    it("leads with etcd, keeps a logical slot, and a consumer's login reads from it", () => {
        const etcd = startEtcd();
        const patroni = startPatroni(etcd, { kind: DcsKind.Etcd3, settings: etcd3Settings(["http://127.0.0.1:2379"]) });
        try {
            const verifier = (role: string): string => scramVerifier(`password of ${role}`, `salt${role}`);
            const login = (name: string) => ({ name, verifier: verifier(name), connectionLimit: -1 });
            psql(
                patroni,
                renderApplicationSql({
                    key: "shop",
                    database: "shop",
                    connectionLimit: -1,
                    owner: login("shop"),
                    roles: [{ ...login("cdc"), access: RoleAccess.ReadOnly, attributes: [RoleAttribute.Replication] }],
                    schemas: ["public"],
                    extensions: [],
                }),
            );
            const slots = "SELECT count(*) = 2 FROM pg_replication_slots WHERE slot_name IN ('cdc', 'archive')";
            const made = [
                "sh",
                "-c",
                `psql -X -t -A -h ${containerPaths.postgresSocket} -U postgres -c "$1" | grep -q t`,
                "sh",
                slots,
            ];
            // One round of Patroni's loop after the database is there.
            patroni.waitFor(made, 30);
            psql(
                patroni,
                "\\connect shop\nCREATE TABLE orders (id int PRIMARY KEY); INSERT INTO orders VALUES (41), (42);",
            );
            const asConsumer = { PGPASSWORD: "password of cdc" };
            const conninfo = "host=127.0.0.1 user=cdc dbname=shop";
            const receive = `timeout 5 pg_recvlogical -d '${conninfo}' --slot cdc --start --no-loop -f - || [ $? -eq 124 ]`;
            const changes = succeeded(patroni.exec(["sh", "-c", receive], "", asConsumer));
            expect(changes).to.include("INSERT: id[integer]:41").and.include("INSERT: id[integer]:42");
            // The right to copy the whole server stays with the cluster's own replication role.
            const copy = patroni.exec(
                ["pg_basebackup", "-d", "host=127.0.0.1 user=cdc", "-D", "/tmp/copy"],
                "",
                asConsumer,
            );
            expect(copy.status).not.to.equal(0);
            expect(copy.stderr).to.include("no pg_hba.conf entry for replication connection");
        } finally {
            patroni.remove();
            etcd.remove();
        }
    }).timeout(120_000);

    // Its image is compiled for minutes, and no cluster with etcd needs it: `npm run test:consul` builds it and runs this.
    it("leads with Consul, and keeps its configuration there @consul", () => {
        const consul = startConsul();
        const patroni = startPatroni(consul, { kind: DcsKind.Consul, settings: consulSettings("127.0.0.1", 8500) });
        try {
            const keys = succeeded(consul.exec(["consul", "kv", "get", "-keys", "-recurse", "service/pg/"]));
            expect(keys).to.include("service/pg/leader").and.include("service/pg/config");
            const leader = succeeded(consul.exec(["consul", "kv", "get", "service/pg/leader"]));
            expect(leader.trim()).to.equal("patroni-db1");
            const { slots, ttl } = JSON.parse(succeeded(consul.exec(["consul", "kv", "get", "service/pg/config"]))) as {
                slots: object;
                ttl: number;
            };
            expect(ttl).to.equal(30);
            expect(slots).to.have.keys(["archive", "cdc"]);
            expect(succeeded(patroni.exec(["patronictl", "list", "-f", "tsv"]))).to.include("Leader");
        } finally {
            patroni.remove();
            consul.remove();
        }
    }).timeout(180_000);
});
