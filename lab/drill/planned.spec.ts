import { expect } from "chai";
import { AddressInfo, createServer, Server, Socket } from "node:net";
import { once } from "node:events";
import { welcome } from "../../test/helpers/protocol";
import type { Journal, WriteJournal } from "./journal";
import { Load } from "./load";
import { awayMeanwhile, isUnnoticed, measure, mostDown, PlannedResult } from "./planned";
import { renderChangesMarkdown, renderChangesTable, unnoticed } from "./plannedReport";
import { parseStackOutputs } from "./stack";
import { waitUntil } from "./wait";

function journal(times: number[], failed = 0): WriteJournal {
    const answers = times.map((receivedAt) => ({
        client: 0,
        id: `row-${receivedAt}`,
        sentAt: receivedAt - 1,
        receivedAt,
        timeline: 1,
    }));
    return { answers, failed, unknown: [], refused: 0, reasons: new Map() };
}

function result(changes: Partial<PlannedResult> = {}, pooledFailed = 0): PlannedResult {
    return {
        paths: {
            "read-write": { gapMs: 1500, failed: 7 },
            pooled: { gapMs: 900, failed: pooledFailed },
            "read-only": { gapMs: 100, failed: 0 },
        },
        seconds: 61,
        down: 1,
        acknowledged: 1000,
        lost: 0,
        unexpected: 0,
        duplicates: 0,
        stale: 0,
        ...changes,
    };
}

describe("measure", () => {
    it("finds a planted gap and planted failures, path by path", () => {
        const writes = new Map([
            ["read-write", journal([0, 10, 1510, 1520], 3)],
            ["pooled", journal([0, 10, 20, 30])],
        ]);
        const reads = new Map<string, Journal>([["read-only", journal([0, 500, 510], 1)]]);
        expect(measure({ writes, reads }, 5, 25)).to.deep.equal({
            "read-write": { gapMs: 1500, failed: 3 },
            pooled: { gapMs: 10, failed: 0 },
            "read-only": { gapMs: 500, failed: 1 },
        });
    });
});

describe("mostDown", () => {
    const outputs = (hosts: number[], etcd = hosts) =>
        parseStackOutputs({
            endpoints: {
                readWrite: hosts.map((host) => `10.0.0.${host}:5433`),
                readOnly: ["10.0.0.1:5434"],
                pooled: ["10.0.0.1:6432"],
            },
            nodes: Object.fromEntries(
                hosts.map((host) => [
                    `db${host}`,
                    { address: `10.0.0.${host}`, patroniApi: `https://10.0.0.${host}:8008`, postgres: "" },
                ]),
            ),
            operations: {
                hosts: Object.fromEntries(etcd.map((host) => [`db${host}`, { address: `10.0.0.${host}` }])),
                etcd: etcd.map((host) => ({ host: `db${host}` })),
            },
            caCertificate: "",
            applications: { shop: { database: "shop", owner: "shop", password: "secret" } },
        });
    const away = awayMeanwhile(outputs([1, 2, 3]), outputs([1, 2], [1, 2, 4]));

    it("counts those who were silent at once, kind by kind", () => {
        const apart = { silent: new Set(["a", "b"]), together: [] };
        expect(mostDown([{ silent: new Set(), together: [] }], new Set())).to.equal(0);
        expect(mostDown([apart, apart], new Set())).to.equal(1);
        expect(mostDown([apart, { silent: new Set(["c", "d"]), together: [["c", "d"]] }], new Set())).to.equal(2);
    });

    it("leaves out those who are elsewhere meanwhile", () => {
        expect([...away]).to.deep.equal(["https://10.0.0.3:8008", "10.0.0.3:2379", "10.0.0.3:5433"]);
        const names = ["10.0.0.2:5433", "10.0.0.3:5433"];
        expect(mostDown([{ silent: new Set(names), together: [names] }], away)).to.equal(1);
    });
});

describe("isUnnoticed", () => {
    it("takes latency, and failures of those who don't go through PgBouncer", () => {
        expect(isUnnoticed(result())).to.be.true;
    });

    for (const finding of ["lost", "unexpected", "duplicates", "stale"] as const) {
        it(`notices a row that is ${finding}`, () => expect(isUnnoticed(result({ [finding]: 1 }))).to.be.false);
    }

    it("notices a transaction that failed through PgBouncer", () => expect(isUnnoticed(result({}, 1))).to.be.false);

    it("notices two members of a kind that were down at once", () =>
        expect(isUnnoticed(result({ down: 2 }))).to.be.false);
});

describe("Load", () => {
    /** A server that answers a connection attempt as `behave` does. */
    async function failures(behave: (socket: Socket) => void): Promise<number> {
        const server: Server = createServer((socket) => {
            socket.on("error", () => undefined);
            behave(socket);
        }).listen(0, "127.0.0.1");
        await once(server, "listening");
        const endpoint = `127.0.0.1:${(server.address() as AddressInfo).port}`;
        const login = { user: "u", password: "p", database: "d" };
        const load = new Load({ clientsPerPath: 1, ratePerClient: 50, login, table: "t", queryTimeoutMs: 200 });
        load.startWriters({ name: "pooled", endpoints: [endpoint] });
        const path = load.writes.get("pooled");
        await waitUntil("a failure", { timeoutMs: 5000, signal: new AbortController().signal }, () => {
            if (path?.reasons.size === 0) throw new Error("none");
        });
        await load.stop();
        server.close();
        return path?.failed ?? Number.NaN;
    }

    it("counts a planted transaction that is sent and never answered", async () => {
        const failed = await failures((socket) => {
            socket.once("data", () => {
                socket.write(welcome);
                socket.once("data", () => socket.destroy());
            });
        });
        expect(failed).to.be.greaterThan(0);
    });

    it("counts no attempt to connect that fails: nothing was sent", async () => {
        expect(await failures((socket) => socket.destroy())).to.equal(0);
    });
});

describe("the report of planned changes", () => {
    const change = { name: "max-connections", description: "a parameter" };

    it("fails with any round that was noticed, or that didn't get to its end", () => {
        expect(unnoticed([{ ...change, round: 1, result: result() }])).to.be.true;
        expect(unnoticed([{ ...change, round: 1, result: result({}, 1) }])).to.be.false;
        expect(unnoticed([{ ...change, round: 1, failure: "not healthy" }])).to.be.false;
        expect(unnoticed([{ ...change, round: 1, result: result(), failure: "not up again" }])).to.be.false;
    });

    it("shows figures, a verdict and why a round failed", () => {
        const text = renderChangesTable([
            { ...change, round: 1, result: result({ lost: 2 }) },
            { ...change, round: 2, failure: "no leader" },
        ]);
        expect(text).to.match(/^max-connections +1 +1\.50 s +0\.90 s +0\.10 s +7 +0 +0 +61\.0 s +1 +1000 +2 +not ok$/m);
        expect(text).to.match(/^max-connections +2 +- .* failed$/m);
        expect(text).to.contain("max-connections 2 failed: no leader");
    });

    it("says of which change the way back was not measured", () => {
        const reports = [{ ...change, oneWay: true, round: 1, result: result() }];
        expect(renderChangesMarkdown(reports)).to.match(/^\| a parameter \(one way\) +\| 1 /m);
    });

    it("gives medians with their range, and the sums of failures", () => {
        const rounds = [1500, 900, 2000].map((gapMs, index) => {
            const { paths, ...rest } = result();
            return { ...change, round: index, result: { ...rest, paths: { ...paths, pooled: { gapMs, failed: 1 } } } };
        });
        expect(renderChangesMarkdown(rounds)).to.match(
            /^\| a parameter +\| 3 .* 1\.50 s \(0\.90 to 2\.00\) .*\| 3 +\|/m,
        );
    });
});
