import { expect } from "chai";
import { containerPaths, defaultPorts } from "../../components/defaults";
import { haproxyHealthPort, renderHaProxyCfg, renderHaProxyUsers } from "../../components/render/haproxyCfg";
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
        const fakes = "/tmp/fakes.cfg";
        const proxy = Container.start(
            "haproxy",
            ["haproxy", "-db", ...[haproxyConfig, haproxyUsers, fakes].flatMap((file) => ["-f", file])],
            {
                files: {
                    ...filesOf(renderHaProxyCfg({ ...haProxy, servers })),
                    [fakes]: Object.entries(answers)
                        .map(([port, answer]) => fakePatroni(Number(port), answer))
                        .join("\n"),
                },
            },
        );
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
});

/** Answers as Patroni does on the node that has the leader's key. */
function fakePatroni(port: number, answer: object): string {
    return [
        `listen fake-${port}`,
        "  mode http",
        `  bind 127.0.0.1:${port}`,
        `  http-request return status 200 content-type application/json string '${JSON.stringify(answer).replaceAll(":", ": ")}'`,
        "",
    ].join("\n");
}
