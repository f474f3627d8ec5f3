import { expect } from "chai";
import { assertReplicating, findLeader, type ClusterView } from "./patroni";

const node = (address: string) => ({ address, patroniApi: `http://${address}:8008`, postgres: `${address}:5432` });
const nodes = { db1: node("10.0.0.1"), db2: node("10.0.0.2"), db3: node("10.0.0.3") };

function view(): ClusterView & {
    members: [ClusterView["members"][0], ClusterView["members"][0], ClusterView["members"][0]];
} {
    return {
        members: [
            { host: "10.0.0.1", role: "replica", state: "streaming", timeline: 4 },
            { host: "10.0.0.2", role: "leader", state: "running", timeline: 4 },
            { host: "10.0.0.3", role: "sync_standby", state: "streaming", timeline: 4 },
        ],
    };
}

describe("findLeader", () => {
    it("names the leader by its address", () => {
        expect(findLeader(view(), nodes)).to.equal("db2");
    });

    it("does not take a leader that is stopping", () => {
        const changed = view();
        changed.members[1].state = "stopping";
        expect(() => findLeader(changed, nodes)).to.throw("no running leader");
    });
});

describe("assertReplicating", () => {
    it("accepts one leader with every other node streaming", () => {
        expect(() => assertReplicating(view(), nodes, 1)).not.to.throw();
    });

    const faults: [string, (changed: ReturnType<typeof view>) => void][] = [
        ["a replica that does not stream yet", (changed) => (changed.members[0].state = "running")],
        ["a replica on an old timeline", (changed) => (changed.members[0].timeline = 3)],
        ["a synchronous standby that is not restored", (changed) => (changed.members[2].role = "replica")],
        ["a member that is gone", (changed) => changed.members.pop()],
        ["a paused cluster", (changed) => (changed.pause = true)],
    ];
    for (const [fault, plant] of faults) {
        it(`refuses ${fault}`, () => {
            const changed = view();
            plant(changed);
            expect(() => assertReplicating(changed, nodes, 1)).to.throw();
        });
    }
});
