import { expect } from "chai";
import { containerPaths, defaultPorts } from "../../components/defaults";
import {
    HaProxyConfig,
    haproxyHealthPort,
    renderHaProxyCfg,
    renderHaProxyUsers,
} from "../../components/render/haproxyCfg";
import { haProxy } from "../render/samples";
import { Container } from "./container";

const { haproxyConfig, haproxyUsers } = containerPaths;
const password = `it's "$HOME" # \\ x`;

const filesOf = (config: string) => ({
    [haproxyConfig]: config,
    [haproxyUsers]: renderHaProxyUsers("admin", password),
});

describe("HAProxy itself", () => {
    const variants = {
        "with fallback": haProxy,
        "without fallback": { ...haProxy, enableReadOnlyFallback: false },
        "with PgBouncers": { ...haProxy, poolers: { name: "pg-poolers" } },
    };
    for (const [name, config] of Object.entries(variants)) {
        it(`takes our configuration ${name}, and warns of nothing`, () => {
            const files = filesOf(renderHaProxyCfg(config));
            const check = ["haproxy", "-c", "-f", haproxyConfig, "-f", haproxyUsers];
            const { status, stdout, stderr } = Container.run("haproxy", check, { files });
            expect(stdout + stderr).not.to.match(/warning|alert/i);
            expect(status).to.equal(0);
        });
    }

    describe("running", () => {
        let proxy: Container;

        before(() => {
            const command = ["haproxy", "-W", "-db", "-f", haproxyConfig, "-f", haproxyUsers];
            proxy = Container.start("haproxy", command, { files: filesOf(renderHaProxyCfg(haProxy)) });
            proxy.waitFor(["curl", "-fsS", `http://127.0.0.1:${haproxyHealthPort}/healthz`]);
        });
        after(() => proxy.remove());

        const ask = (path: string, login: string[]): string =>
            proxy.exec([
                "curl",
                "-sS",
                ...login,
                "-w",
                "\n%{http_code}",
                `http://127.0.0.1:${defaultPorts.haproxyStats}${path}`,
            ]).stdout;

        it("shows statistics and metrics to who has the password, whatever is in it", () => {
            expect(ask("/;csv", ["-u", `admin:${password}`])).to.match(/^# pxname,.*read_write.*\n200$/s);
            expect(ask("/metrics", ["-u", `admin:${password}`])).to.match(/haproxy_backend_status.*\n200$/s);
        });

        it("shows its statistics without a password on the container's own loopback port", () => {
            const url = `http://127.0.0.1:${haproxyHealthPort}/;csv`;
            expect(proxy.exec(["curl", "-fsS", url]).stdout).to.match(/^# pxname,/);
        });

        it("shows statistics at /stats, too", () => {
            const login = ["-u", `admin:${password}`];
            expect(ask("/stats", login)).to.match(/Statistics Report.*read_write.*\n200$/s);
            expect(ask("/stats;csv", login)).to.match(/^# pxname,.*read_write.*\n200$/s);
            expect(ask("/stats", [])).to.match(/\n401$/);
        });

        it("shows nothing to anybody else", () => {
            for (const login of [[], ["-u", "admin:wrong"], ["-u", `root:${password}`]]) {
                expect(ask("/metrics", login)).to.match(/\n401$/);
                expect(ask("/;csv", login)).to.match(/\n401$/);
            }
        });
    });

    it("has no connection more for a node that has the leader's key, while its PostgreSQL is stopping or in recovery", () => {
        const answers = {
            8101: { state: "running", role: "primary" },
            8102: { state: "stopping", role: "primary" },
            8103: { state: "running", role: "replica" },
            8104: { state: "running", role: "master" },
        };
        const servers = Object.keys(answers).map((apiPort) => ({
            name: `patroni-${apiPort}`,
            address: "127.0.0.1",
            postgresPort: defaultPorts.postgres,
            apiPort: Number(apiPort),
        }));
        const patronis = Object.entries(answers).map(([port, content]) => fakePatroni(Number(port), content));
        const proxy = startAmong(servers, patronis);
        try {
            const statistics = `curl -fsS 'http://127.0.0.1:${haproxyHealthPort}/;csv'`;
            const states = `${statistics} | grep -E '^(any|read_write|primary_for_reads),patroni-' | cut -d , -f 1,2,18`;
            const primaries = (proxyName: string): string[] => [
                `${proxyName},patroni-8101,UP`,
                // It keeps the sessions that it has.
                `${proxyName},patroni-8102,NOLB`,
                `${proxyName},patroni-8103,DOWN`,
                `${proxyName},patroni-8104,UP`,
            ];
            const expected = [
                ...primaries("read_write"),
                ...primaries("primary_for_reads"),
                ...Object.keys(answers).map((port) => `any,patroni-${port},UP`),
            ];
            proxy.waitFor(["bash", "-c", `[ "$(${states})" = "${expected.join("\n")}" ]`]);
        } finally {
            proxy.remove();
        }
    });

    it("keeps the sessions of a primary that stops, takes no more of them, and ends them when it is no primary any more", () => {
        const server = { name: "patroni-db1", address: "127.0.0.1", postgresPort: 8201, apiPort: 8101 };
        const proxy = startAmong([server], [changingPatroni(server.apiPort), fakePostgres(server.postgresPort)]);
        const session = `
            becomes() {
                curl -fsS "http://127.0.0.1:${server.apiPort}/become/$1"
                until curl -fsS 'http://127.0.0.1:${haproxyHealthPort}/;csv' | grep '^read_write,${server.name},' | grep -q ",$2,"; do sleep 0.1; done
            }
            # Each leaves in $? what read does: 1 at the session's end, more than 128 where nothing comes.
            ask() { printf 'GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n' >&"$1" && hear "$1"; }
            hear() { read -r -t 5 line <&"$1" && while [ "$line" != $'\\r' ]; do read -r -t 5 line <&"$1" || return; done; }
            entry=/dev/tcp/127.0.0.1/${defaultPorts.readWrite}
            becomes running UP
            exec 3<>"$entry"
            ask 3; echo "running: $?"
            becomes stopping NOLB
            ask 3; echo "stopping: $?"
            exec 4<>"$entry"
            hear 4; echo "stopping, a new one: $?"
            becomes replica DOWN
            hear 3; echo "replica: $?"`;
        try {
            const { stdout, stderr } = proxy.exec(["timeout", "30", "bash", "-c", session]);
            expect(stdout.trim().split("\n"), stderr).to.deep.equal([
                "running: 0",
                "stopping: 0",
                "stopping, a new one: 1",
                "replica: 1",
            ]);
        } finally {
            proxy.remove();
        }
    });
});

/** HAProxy with these servers, and with a further configuration that plays their part. */
function startAmong(servers: HaProxyConfig["servers"], parts: string[]): Container {
    const fakes = "/tmp/fakes.cfg";
    const config = renderHaProxyCfg({ ...haProxy, servers });
    return Container.start(
        "haproxy",
        ["haproxy", "-db", ...[haproxyConfig, haproxyUsers, fakes].flatMap((file) => ["-f", file])],
        { files: { ...filesOf(config), [fakes]: parts.join("\n") } },
    );
}

const answer = (content: object): string =>
    `http-request return status 200 content-type application/json string '${JSON.stringify(content).replaceAll(":", ": ")}'`;

/** Answers as Patroni does on the node that has the leader's key. */
function fakePatroni(port: number, content: object): string {
    return fake(port, [answer(content)]);
}

/** Answers so as a primary, until it is asked for `/become/stopping` or `/become/replica`. */
function changingPatroni(port: number): string {
    const is = (state: string): string => `if { var(proc.state) -m str ${state} }`;
    return fake(port, [
        "http-request set-var(proc.state) path,field(3,/) if { path_beg /become/ }",
        "http-request return status 200 if { path_beg /become/ }",
        `http-request return status 503 ${is("replica")}`,
        `${answer({ state: "stopping", role: "primary" })} ${is("stopping")}`,
        answer({ state: "running", role: "primary" }),
    ]);
}

/** Answers for as long as the session lasts. */
function fakePostgres(port: number): string {
    return fake(port, ["http-request return status 200"]);
}

function fake(port: number, rules: string[]): string {
    return [
        `listen fake-${port}`,
        "  mode http",
        `  bind 127.0.0.1:${port}`,
        ...rules.map((rule) => `  ${rule}`),
        "",
    ].join("\n");
}
