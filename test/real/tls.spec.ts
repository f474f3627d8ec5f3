import { expect } from "chai";
import { parse } from "yaml";
import { containerPaths, defaultPorts, systemRoles } from "../../components/defaults";
import { defaultHbaRules, renderPgHba } from "../../components/render/pgHba";
import { renderPatroniTlsYaml } from "../../components/render/patroniYaml";
import { renderPgBouncerIni, renderPgBouncerUsers } from "../../components/render/pgbouncerIni";
import { scramVerifier } from "../../components/render/scram";
import { renderSwitchoverScript } from "../../components/render/switchoverScript";
import { renderPgBouncerSql } from "../../components/render/systemRolesSql";
import { createAuthority, createServer, loopback } from "../helpers/certificates";
import { pgBouncer } from "../render/samples";
import { Container } from "./container";

const authority = createAuthority("authority");
const stranger = createAuthority("stranger");
const server = createServer(authority, "server", loopback);
const password = "word";

/** Where the tests keep what a client has. */
const trusted = { [authority.certificate]: "/tmp/authority.crt", [stranger.certificate]: "/tmp/stranger.crt" };

/** PostgreSQL as a node runs it: its TLS files with the owner and modes that Swarm and plain hosts give them. */
function startPostgres(requireTls: boolean): Container {
    const { parameters } = (parse(renderPatroniTlsYaml()) as { postgresql: { parameters: { [name: string]: string } } })
        .postgresql;
    const settings = Object.entries(parameters).map(([name, value]) => `-c ${name}=${value}`);
    const files = {
        [containerPaths.serverCertificate]: server.certificate + authority.certificate,
        [containerPaths.serverKey]: server.privateKey,
        [containerPaths.caCertificate]: authority.certificate,
        "/pg_hba.conf": `${renderPgHba(defaultHbaRules, requireTls).join("\n")}\n`,
        ...Object.fromEntries(Object.entries(trusted).map(([certificate, path]) => [path, certificate])),
    };
    const script = [
        "set -e",
        `chown 999:999 ${containerPaths.serverKey}`,
        `chmod 0400 ${containerPaths.serverKey}`,
        "chmod 0444 /pg_hba.conf /tmp/*.crt",
        "chmod 1777 /tmp",
        "cd /tmp",
        "exec setpriv --reuid 999 --regid 999 --clear-groups sh -ec '" +
            "initdb -D /tmp/data -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 >/dev/null; " +
            `exec postgres -D /tmp/data -c hba_file=/pg_hba.conf -c unix_socket_directories=/tmp -c fsync=off ${settings.join(" ")}'`,
    ];
    const container = Container.start("patroni", ["sh", "-c", script.join("\n")], {
        files,
        options: ["--user", "0"],
    });
    container.waitFor(["pg_isready", "-q", "-h", "/tmp"]);
    return container;
}

/** Runs statements as PostgreSQL's own user in the container, who needs no password. */
function asSuperuser(container: Container, sql: string): void {
    const words = ["setpriv", "--reuid", "999", "--regid", "999", "--clear-groups"];
    const { status, stderr } = container.exec(
        [...words, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "host=/tmp user=postgres dbname=postgres"],
        sql,
    );
    expect(status, stderr).to.equal(0);
}

/** Logs in over TCP; the answer is the protocol in use, or what libpq says. */
function connect(container: Container, conninfo: string, port: number = defaultPorts.postgres): string {
    const sql = "SELECT coalesce((SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()), 'none')";
    const { status, stdout, stderr } = container.exec(
        ["psql", "-X", "-t", "-A", "-d", `port=${port} user=app dbname=postgres ${conninfo}`, "-c", sql],
        undefined,
        { PGPASSWORD: password },
    );
    return status === 0 ? stdout.trim() : stderr.trim();
}

const verifying = (certificate: string, host = "localhost"): string =>
    `host=${host} sslmode=verify-full sslrootcert=${trusted[certificate]}`;

describe("PostgreSQL itself, with our certificates", () => {
    const containers: Container[] = [];
    let optional: Container;
    let required: Container;

    before(() => {
        for (const requireTls of [false, true]) {
            const container = startPostgres(requireTls);
            containers.push(container);
            asSuperuser(container, `CREATE ROLE app LOGIN PASSWORD '${password}'`);
        }
        [optional, required] = containers as [Container, Container];
    });
    after(() => containers.forEach((container) => container.remove()));

    for (const host of ["localhost", "127.0.0.1"]) {
        it(`is verified as ${host} by who knows the authority`, () => {
            expect(connect(optional, verifying(authority.certificate, host))).to.equal("TLSv1.3");
        });
    }

    it("is not verified by who knows another authority", () => {
        expect(connect(optional, verifying(stranger.certificate))).to.include("certificate verify failed");
    });

    it("is not verified under another name", () => {
        const elsewhere = `hostaddr=127.0.0.1 ${verifying(authority.certificate, "elsewhere")}`;
        expect(connect(optional, elsewhere)).to.include('does not match host name "elsewhere"');
    });

    it("takes clients without TLS unless it is required", () => {
        expect(connect(optional, "host=localhost sslmode=disable")).to.equal("none");
        expect(connect(required, "host=localhost sslmode=disable")).to.include("no encryption");
        expect(connect(required, "host=localhost sslmode=require")).to.equal("TLSv1.3");
    });

    it("takes no replica without TLS where it is required", () => {
        asSuperuser(required, `CREATE ROLE ${systemRoles.replication} REPLICATION LOGIN PASSWORD '${password}'`);
        const identify = (sslmode: string): string => {
            const conninfo = `host=localhost user=${systemRoles.replication} replication=true sslmode=${sslmode}`;
            const { status, stderr } = required.exec(
                ["psql", "-X", "-d", conninfo, "-c", "IDENTIFY_SYSTEM"],
                undefined,
                { PGPASSWORD: password },
            );
            return status === 0 ? "" : stderr;
        };
        expect(identify("disable")).to.include("no encryption");
        expect(identify("prefer")).to.equal("");
    });

    it("takes no protocol older than TLS 1.2", () => {
        const old = `${verifying(authority.certificate)} ssl_min_protocol_version=TLSv1 ssl_max_protocol_version=TLSv1.1`;
        expect(connect(optional, old)).to.match(/protocol|alert/i);
    });
});

describe("PgBouncer itself, with our certificates", () => {
    const poolerPassword = "pooler-word";
    const containers: Container[] = [];

    /** A PgBouncer beside a PostgreSQL that requires TLS. */
    function startPooler(clientsMust: boolean): [Container, Container] {
        const postgres = startPostgres(true);
        containers.push(postgres);
        asSuperuser(postgres, renderPgBouncerSql({ verifier: scramVerifier(poolerPassword, "salt"), generation: 1 }));
        asSuperuser(postgres, `CREATE ROLE app LOGIN PASSWORD '${password}'`);
        const servers = { addresses: ["127.0.0.1"], port: defaultPorts.postgres };
        const pooler = Container.start(
            "pgbouncer",
            [
                "sh",
                "-ec",
                `chown 999:999 ${containerPaths.serverKey}; chmod 0400 ${containerPaths.serverKey}; ` +
                    `exec setpriv --reuid 999 --regid 999 --clear-groups pgbouncer ${containerPaths.pgbouncerConfig}`,
            ],
            {
                files: {
                    [containerPaths.pgbouncerConfig]: renderPgBouncerIni({
                        ...pgBouncer,
                        servers,
                        tls: { required: clientsMust },
                    }),
                    [containerPaths.pgbouncerUsers]: renderPgBouncerUsers(pgBouncer.authUser, poolerPassword),
                    [containerPaths.pgbouncerCertificate]: server.certificate + authority.certificate,
                    [containerPaths.serverKey]: server.privateKey,
                    [containerPaths.pgbouncerCa]: authority.certificate,
                },
                networkOf: postgres,
                options: ["--user", "0"],
            },
        );
        containers.push(pooler);
        pooler.waitFor(["pg_isready", "-q", "-h", "127.0.0.1", "-p", String(defaultPorts.pgbouncer)]);
        return [postgres, pooler];
    }
    after(() => containers.reverse().forEach((container) => container.remove()));

    const through = (container: Container, conninfo: string): string =>
        connect(container, conninfo, defaultPorts.pgbouncer);

    /** The script of a switchover ends a pause that an earlier one left. This container is its node, where nobody can take over. */
    function resumeByScript(pooler: Container): void {
        const own = ["setpriv", "--reuid", "999", "--regid", "999", "--clear-groups"];
        const console = (command: string): string => {
            const socket = `host=${containerPaths.pgbouncerSocket} port=${defaultPorts.pgbouncer}`;
            const conninfo = `${socket} user=${systemRoles.pgbouncer} dbname=pgbouncer`;
            const { status, stdout, stderr } = pooler.exec([
                ...own,
                "psql",
                "-X",
                "-At",
                "-d",
                conninfo,
                "-c",
                command,
            ]);
            expect(status, stderr).to.equal(0);
            return stdout;
        };
        console("PAUSE");
        expect(console("SHOW STATE")).to.match(/^paused\|yes$/m);
        const passwords = ["another", poolerPassword];
        const poolers = { addresses: ["127.0.0.1"], port: defaultPorts.pgbouncer, passwords };
        const script = renderSwitchoverScript({ serviceName: "node", scope: "pg", poolers });
        const docker = 'docker() { case "$1" in ps) echo node ;; exec) shift 3; "$@" ;; esac; }';
        const words = ["sh", "-c", `: >"$0.paused"\n${docker}\n${script}`, "/tmp/switchover", "patroni-db1"];
        // As in a node, whose user has a home.
        const { stderr } = pooler.exec([...own, ...words], undefined, { HOME: "/tmp" });
        expect(stderr).to.include("no other node is fit to take over from patroni-db1");
        expect(console("SHOW STATE")).to.match(/^paused\|no$/m);
    }

    it("is verified by who knows the authority, takes others as they come, and speaks TLS to PostgreSQL", () => {
        const [client, pooler] = startPooler(false);
        resumeByScript(pooler);
        expect(through(client, verifying(authority.certificate))).to.equal("TLSv1.3");
        expect(through(client, verifying(stranger.certificate))).to.include("certificate verify failed");
        // The answer is of the connection behind it.
        expect(through(client, "host=localhost sslmode=disable")).to.equal("TLSv1.3");
    });

    it("refuses clients without TLS where it is required, and answers HAProxy's question for it", () => {
        const [client, pooler] = startPooler(true);
        resumeByScript(pooler);
        expect(through(client, "host=localhost sslmode=disable")).to.include("SSL required");
        expect(through(client, "host=localhost sslmode=require")).to.equal("TLSv1.3");
        const ask = `exec 3<>/dev/tcp/127.0.0.1/${defaultPorts.pgbouncer}; printf '\\x00\\x00\\x00\\x08\\x04\\xd2\\x16\\x2f' >&3; head -c 1 <&3`;
        expect(client.exec(["bash", "-c", ask]).stdout).to.equal("S");
    });
});
