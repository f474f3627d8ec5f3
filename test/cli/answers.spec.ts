import { expect } from "chai";
import {
    parseContainers,
    parseCsv,
    parseEtcdStatus,
    parseHaProxyStatistics,
    parsePatroniCluster,
    parsePatroniConfig,
    parsePatroniLocal,
    parsePgBouncer,
} from "../../cli/answers";
import { fixture } from "./fixtures";

describe("cli/answers reads what the programs answer:", () => {
    it("Patroni's members", () => {
        const { paused, members } = parsePatroniCluster(fixture("patroni-cluster.json"));
        expect(paused).to.equal(false);
        expect(members.map(({ name, role, state, lagBytes }) => [name, role, state, lagBytes])).to.deep.equal([
            ["patroni-db1", "sync_standby", "streaming", 0],
            ["patroni-db2", "leader", "running", null],
            ["patroni-db3", "replica", "streaming", 0],
        ]);
        expect(members.map(({ timeline }) => timeline)).to.deep.equal([56, 56, 56]);
    });

    it("Patroni's marks on a member and on the cluster", () => {
        const member = {
            name: "a",
            role: "replica",
            state: "stopped",
            lag: "unknown",
            pending_restart: true,
            tags: { nofailover: true },
        };
        const view = parsePatroniCluster(JSON.stringify({ members: [member], pause: true }));
        expect(view.paused).to.equal(true);
        expect(view.members[0]).to.deep.equal({
            name: "a",
            role: "replica",
            state: "stopped",
            timeline: null,
            lagBytes: null,
            pendingRestart: true,
            tags: { nofailover: true },
        });
    });

    it("what a node says of itself", () => {
        expect(parsePatroniLocal(fixture("patroni-local-db2.json"))).to.deep.equal({
            role: "primary",
            state: "running",
            timeline: 56,
            startedAt: "2026-11-21 06:08:10.636228+00:00",
            paused: false,
        });
        const stopped = parsePatroniLocal('{"role": "replica", "state": "stopped", "pause": true}');
        expect(stopped).to.include({ timeline: null, startedAt: null, paused: true });
    });

    it("the dynamic configuration", () => {
        expect(parsePatroniConfig(fixture("patroni-config.json"))).to.deep.equal({
            synchronousNodeCount: 1,
            maximumLagOnFailoverBytes: 1048576,
        });
        expect(parsePatroniConfig('{"synchronous_mode": "quorum"}').synchronousNodeCount).to.equal(1);
        expect(parsePatroniConfig('{"synchronous_node_count": 2}').synchronousNodeCount).to.equal(0);
    });

    it("etcd's status, with ids that are larger than JavaScript's numbers", () => {
        expect(parseEtcdStatus(fixture("etcd-status-db1.json"))).to.deep.equal({
            memberId: "2965841215891318191",
            leaderId: "7402740984884231507",
            version: "3.5.16",
            dbSizeBytes: 1929216,
            alarms: [],
        });
    });

    it("etcd without a leader and with an alarm, as etcd 3.5 reports them", () => {
        const status = {
            header: { member_id: 1 },
            version: "3.5.16",
            dbSize: 122880,
            errors: ["memberID:10276657743932975437 alarm:NOSPACE "],
        };
        const view = parseEtcdStatus(JSON.stringify([{ Status: status }]));
        expect(view)
            .to.include({ leaderId: null })
            .and.to.deep.include({ alarms: ["NOSPACE"] });
        // etcdctl's answer where it got none.
        expect(() => parseEtcdStatus("[]")).to.throw();
    });

    it("HAProxy's statistics", () => {
        const up = parseHaProxyStatistics(fixture("haproxy.csv"));
        expect(up).to.deep.equal({
            read_write: ["patroni-db2"],
            replicas: ["patroni-db1", "patroni-db3"],
            primary_for_reads: ["patroni-db2"],
            any: ["patroni-db1", "patroni-db2", "patroni-db3"],
        });
    });

    it("a server of HAProxy that is on its way down, and one on its way up", () => {
        const text = "# pxname,svname,status\nrw,a,UP 1/2\nrw,b,DOWN 1/2\nrw,c,MAINT\nrw,BACKEND,UP\n";
        expect(parseHaProxyStatistics(text)).to.deep.equal({ rw: ["a"] });
        expect(() => parseHaProxyStatistics("<html>")).to.throw();
    });

    it("PgBouncer's state and pools, without its own console", () => {
        const state = fixture("pgbouncer-state.csv");
        expect(parsePgBouncer(state, fixture("pgbouncer-pools.csv"))).to.deep.equal({
            paused: false,
            clients: 0,
            waitingClients: 0,
            longestWaitSeconds: 0,
        });
        const pools =
            "database,user,cl_active,cl_waiting,maxwait\nshop,a,7,2,3\nshop,b,1,0,0\npgbouncer,pgbouncer,1,0,0\n";
        expect(parsePgBouncer(state.replace("paused,no", "paused,yes"), pools)).to.deep.equal({
            paused: true,
            clients: 10,
            waitingClients: 2,
            longestWaitSeconds: 3,
        });
        expect(() => parsePgBouncer("", pools)).to.throw();
    });

    it("CSV with quotes and empty cells", () => {
        expect(parseCsv('a,b,c\n"x, ""y""",,z\n')).to.deep.equal([{ a: 'x, "y"', b: "", c: "z" }]);
    });

    it("containers, of which the one that runs counts", () => {
        const states = parseContainers(
            [
                "a\texited\tExited (0) 3 minutes ago",
                "a\trunning\tUp 2 minutes (healthy)",
                "a\texited\tExited (1) 2 hours ago",
                "b\texited\tExited (137) 2 minutes ago",
                "c\trunning\tUp 2 minutes (unhealthy)",
                "d\trunning\tUp 2 seconds (health: starting)",
                "e\trunning\tUp 2 minutes",
                "",
            ].join("\n"),
        );
        expect([...states]).to.deep.equal([
            ["a", "healthy"],
            ["b", "stopped"],
            ["c", "unhealthy"],
            ["d", "starting"],
            ["e", "running"],
        ]);
    });
});
