import { expect } from "chai";
import {
    describeEtcdChange,
    describeNodesChange,
    describeSubnetChange,
    Labelling,
    MemberPlace,
    MembersChange,
    RefusedChange,
    refuseOtherValues,
    refuseStoreChange,
} from "../../components/render/changeWords";
import { describeDynamicChange } from "../../components/render/dynamicChange";
import { configInScript, renderDynamicConfigScript } from "../../components/render/patroniScripts";
import { standardInput } from "../../components/render/ssh";

const none: MembersChange = { added: [], removed: [], moved: [], kept: 2, sharesHosts: false };

function place(name: string, host: string): MemberPlace {
    return { name, host, directory: `/srv/pgha/pg/${name}` };
}

describe("Words for a preview", () => {
    describe("of Patroni's nodes", () => {
        it("say where a new one copies its data to", () => {
            expect(describeNodesChange({ ...none, added: [place("patroni-db4", "db4")] })).to.deep.equal([
                { words: "new node: patroni-db4 copies the leader's data to /srv/pgha/pg/patroni-db4 on db4" },
            ]);
        });

        it("call a node that moves a rebuild, and one that goes a removal, and say where the data stays", () => {
            const moved = [{ from: place("patroni-db2", "db2"), to: place("patroni-db2", "db4") }];
            const said = describeNodesChange({ ...none, moved, removed: [place("patroni-db3", "db3")] });
            expect(said.map(({ words }) => words)).to.deep.equal([
                "rebuild: patroni-db2 copies the leader's data to /srv/pgha/pg/patroni-db2 on db4; what is in /srv/pgha/pg/patroni-db2 on db2 stays there, unused; if it leads, another node takes over first (switchover)",
                "removal: patroni-db3 stops; if it leads, another node takes over first (switchover); its data stays in /srv/pgha/pg/patroni-db3 on db3, and the cluster has one copy less",
            ]);
            expect(said.every(({ alarming }) => alarming)).to.equal(true);
        });

        it("refuse a change after which no node would have the data", () => {
            const moved = [{ from: place("patroni-db1", "db1"), to: place("patroni-db1", "db2") }];
            expect(() => describeNodesChange({ ...none, moved, kept: 0 })).to.throw(/^data loss: .*dump and restore$/);
        });

        it("refuse one that would come to a host before another has gone, unless nodes share hosts", () => {
            const [from, to] = [place("patroni-db2", "db2"), place("patroni-db2", "db3")];
            const shifted = { ...none, moved: [{ from, to }], removed: [place("patroni-db3", "db3")] };
            expect(() => describeNodesChange(shifted)).to.throw(
                /^not possible: patroni-db2 would come to db3 while patroni-db3 is still there/,
            );
            expect(describeNodesChange({ ...shifted, sharesHosts: true })).to.have.length(2);
        });
    });

    it("refuse another address range of networks in words, and take the one of before for consent", () => {
        expect(() => describeSubnetChange("automatic", "172.20.0.0/24")).to.throw(
            /^outage: dockerHosts.subnet would become 172.20.0.0\/24, .* automatic is allowed; .* previousSubnet: "automatic"/,
        );
        expect(() => describeSubnetChange("172.19.0.0/24", "automatic", "automatic")).to.throw(RefusedChange);
        const [said] = describeSubnetChange("172.19.0.0/24", "172.20.0.0/24", "172.19.0.0/24");
        expect(said?.words).to.match(/^outage: .* with 172.20.0.0\/24 in place of 172.19.0.0\/24; the data stays$/);
        expect(said?.alarming).to.equal(true);
    });

    it("refuse other members of a store, by name", () => {
        expect(() => refuseStoreChange("Consul")({ ...none, added: [place("consul-db4", "db4")] })).to.throw(
            /^not possible: Consul's members .* consul-db4 would change/,
        );
    });

    it("refuse another value of a label that pins services, or did so before, and of none else", () => {
        const before = { nodeName: "node1", labels: { rack: "a", disk: "ssd" }, pinning: ["rack"] };
        const change =
            (...changes: Partial<Labelling>[]) =>
            () => {
                refuseOtherValues("db1", before, Object.assign({}, before, ...changes) as Labelling);
            };
        const other = { labels: { rack: "b", disk: "ssd" } };
        const outage = "outage: Swarm would end what is pinned to db1 by rack=a at once";
        expect(change(other)).to.throw(RefusedChange, outage);
        expect(change(other, { pinning: ["disk"] })).to.throw(RefusedChange, outage);
        expect(change({ labels: { rack: "a", disk: "hdd" } })).not.to.throw();
        expect(change({ labels: { rack: "a", disk: "hdd" }, pinning: ["disk"] })).to.throw(RefusedChange);
        expect(change({ labels: { zone: "b" }, pinning: ["zone"] })).not.to.throw();
        expect(change(other, { nodeName: "node2" })).not.to.throw();
    });

    describe("of etcd's members", () => {
        const [c, d, e] = [place("etcd-c", "db3"), place("etcd-d", "db4"), place("etcd-e", "db5")];

        it("say who joins, who moves and who leaves, and where data stays", () => {
            const added = describeEtcdChange({ ...none, kept: 3, added: [d, e] });
            expect(added.map(({ words }) => words)).to.deep.equal([
                "new member: etcd-d on db4 joins etcd's quorum, and votes when it has caught up",
                "new member: etcd-e on db5 joins etcd's quorum, and votes when it has caught up",
            ]);
            expect(added.some(({ alarming }) => alarming)).to.equal(false);
            const left = describeEtcdChange({
                ...none,
                kept: 3,
                removed: [d],
                moved: [{ from: e, to: { ...e, host: "db6" } }],
            });
            expect(left.map(({ words }) => words)).to.deep.equal([
                "rebuild: etcd-e leaves etcd's quorum and joins it anew from db6; what is in /srv/pgha/pg/etcd-e on db5 stays there, unused",
                "removal: etcd-d leaves etcd's quorum when all others are well; its data stays in /srv/pgha/pg/etcd-d on db4",
            ]);
            expect(left.every(({ alarming }) => alarming)).to.equal(true);
        });

        it("let a minority leave, and refuse more", () => {
            const moved = [{ from: c, to: { ...c, host: "db6" } }];
            expect(describeEtcdChange({ ...none, kept: 2, removed: [c], added: [d] })).to.have.length(2);
            expect(() => describeEtcdChange({ ...none, kept: 1, removed: [d, e] })).to.throw(
                /^loss of the quorum: of etcd's 3 members etcd-d, etcd-e would leave .* 2 have to stay\. At most 1 may/,
            );
            expect(() => describeEtcdChange({ ...none, kept: 2, moved, removed: [d, e] })).to.throw(/At most 2 may/);
            expect(() => describeEtcdChange({ ...none, kept: 0, moved })).to.throw(/Add members first$/);
        });

        it("refuse a member that would come to a host before another has gone, unless members share hosts", () => {
            const renamed = { ...none, removed: [c], added: [place("etcd-new", "db3")] };
            expect(() => describeEtcdChange(renamed)).to.throw(
                /^not possible: etcd-new would come to db3 while etcd-c is still there/,
            );
            expect(describeEtcdChange({ ...renamed, sharesHosts: true })).to.have.length(2);
        });
    });

    describe("of Patroni's dynamic configuration", () => {
        const config = {
            ttl: 30,
            synchronous_mode: true,
            slots: { feed: { type: "logical", plugin: "pgoutput" } },
            postgresql: {
                use_slots: true,
                pg_hba: ["host all all all scram-sha-256"],
                parameters: { max_connections: 200, work_mem: "16MB" },
            },
        };

        function words(change: object, nodeCount = 3): string[] {
            return describeDynamicChange(JSON.stringify(config), JSON.stringify(change), nodeCount).map(
                (announcement) => `${announcement.alarming ? "! " : ""}${announcement.words}`,
            );
        }

        function withParameters(parameters: object): object {
            return { ...config, postgresql: { ...config.postgresql, parameters } };
        }

        it("tell a reload from a restart", () => {
            const changed = withParameters({ max_connections: 300, work_mem: "11MB", jit: "off" });
            expect(words(changed)).to.deep.equal([
                "rolling restart, with one switchover: max_connections 200 -> 300",
                "reload: jit (default) -> off, work_mem 16MB -> 11MB",
            ]);
            expect(words(changed, 1)[0]).to.equal("restart, for which clients wait: max_connections 200 -> 300");
        });

        it("know what a leader has to lower before its replicas", () => {
            const lowered = withParameters({ max_connections: 100, work_mem: "16MB", wal_buffers: "8MB" });
            expect(words(lowered)).to.deep.equal([
                "rolling restart, with one switchover: wal_buffers (default) -> 8MB",
                "rolling restart, of the leader where it is: max_connections 200 -> 100",
            ]);
            expect(words(lowered, 1)[1]).to.equal("restart, for which clients wait: max_connections 200 -> 100");
        });

        it("name a parameter whatever its case, and one that goes back to its default", () => {
            expect(words(withParameters({ Max_Connections: 200 }))).to.deep.equal([
                "rolling restart, with one switchover: Max_Connections (default) -> 200, max_connections 200 -> (default)",
                "reload: work_mem 16MB -> (default)",
            ]);
        });

        it("know what changes in place", () => {
            const pgHba = { ...config.postgresql, pg_hba: [] };
            expect(words({ ...config, ttl: 20, postgresql: pgHba })).to.deep.equal([
                "in place: pg_hba (changed) -> (changed), ttl 30 -> 20",
            ]);
        });

        it("warn where a promise to clients is taken back", () => {
            expect(words({ ...config, synchronous_mode: false })).to.deep.equal([
                "! in place: synchronous_mode true -> false; a failover may then lose commits that clients were told of",
            ]);
        });

        it("warn where a consumer loses its place, and not where it gets one", () => {
            const lost = "changes that its consumer has not read yet don't reach it any more";
            expect(words({ ...config, slots: undefined })).to.deep.equal([
                `! data loss for a consumer: the permanent slot feed is dropped; ${lost}`,
            ]);
            const slots = { feed: { type: "logical", plugin: "test_decoding" }, copy: { type: "physical" } };
            expect(words({ ...config, slots })).to.deep.equal([
                "in place: the permanent slot copy is made",
                `! data loss for a consumer: the permanent slot feed is dropped and made anew; ${lost}`,
            ]);
        });

        it("are none where nothing changed", () => {
            expect(words(config)).to.deep.equal([]);
        });

        it("find the configuration in the script that sets it, quotes and all", () => {
            const configJson = JSON.stringify({ parameters: { archive_command: "sh -c 'send %p'" } }, null, 2);
            const script = renderDynamicConfigScript({
                host: { key: "db1", sshAddress: "192.0.2.1" },
                serviceName: "pg-patroni-db1",
                logsCommand: "docker service logs $1",
                switchoverScript: "/srv/pgha/pg/.switchover/patroni-db1",
                scope: "pg",
                configJson,
                timeoutSeconds: 1,
            });
            expect(configInScript(standardInput(script))).to.equal(configJson);
            expect(configInScript("")).to.equal("");
        });
    });
});
