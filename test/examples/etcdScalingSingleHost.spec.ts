import { expect } from "chai";
import { etcdctl } from "../../components/render/etcdYaml";
import { Example } from "../lab/helpers/example";
import { inContainer, lines, onHost, scriptOnHost } from "../lab/helpers/hosts";
import { readSettings } from "../lab/helpers/settings";
import { inSeconds, note } from "../lab/helpers/wait";
import { describeWriters } from "../lab/helpers/writers";
import { ExampleWriters } from "./helpers/exampleWriters";
import { bringUpLab, hostsAs, labHostsByAddress, LabMachines } from "./helpers/labMachines";
import { LiveExample } from "./helpers/liveExample";

const labHost = "db1";
const longestGapSeconds = 3;
const removal =
    "docker volume ls --quiet --filter name=^pg-ha- | xargs --no-run-if-empty docker volume rm; rm -rf /srv/pgha/pg-ha";

/** The example's program with two more members, as its user would write them. */
const added = [
    `"4": { host, address: "172.19.0.57", ports: { client: 2382 } },`,
    `"5": { host, address: "172.19.0.58", ports: { client: 2383 } },`,
];

describe("etcd of the example single-host grows and shrinks, with clients at work:", function () {
    this.timeout(900_000);
    const example = new Example("single-host");
    let live: LiveExample;

    before(async () => {
        await bringUpLab(LabMachines.Single);
        await scriptOnHost(labHost, removal);
        const hosts = hostsAs(["docker"], { memoryMiB: 8192 });
        await example.install({ hosts, images: readSettings().images, domain: "example.com" });
        await example.up();
        live = await LiveExample.read(example, labHostsByAddress());
        await live.waitForHealth();
    });

    after(async () => {
        await example.remove();
        await scriptOnHost(labHost, removal);
    });

    /** Ids of the containers that neither come nor go. */
    async function lasting(): Promise<string[]> {
        const format = '{{.ID}} {{.Label "pgha.workload"}}';
        const text = await onHost(labHost, ["docker", "ps", "--no-trunc", "--format", format]);
        return lines(text)
            .filter((line) => line.includes(" pg-ha-") && !/etcd-[45]$/.test(line))
            .sort();
    }

    async function votingMembers(): Promise<string[]> {
        const list = await inContainer(labHost, "pg-ha-etcd-1", [...etcdctl(true), "member", "list"]);
        const rows = lines(list).map((line) => line.trim().split(", "));
        return rows.flatMap(([, , name, , client, learner]) =>
            client !== "" && learner === "false" && name !== undefined ? [name] : [],
        );
    }

    /** Edits the program, and brings it up under load; nothing but the members that come or go may change. */
    async function edit(command: string[], members: string[]): Promise<string> {
        expect((await example.attempt(command)).status).to.equal(0);
        const before = await lasting();
        const writers = await ExampleWriters.start(live);
        const seconds = await example.up();
        const result = await writers.stop();
        expect((await votingMembers()).sort()).to.deep.equal(members);
        expect(await lasting()).to.deep.equal(before);
        expect(Math.max(...Object.values(result.gapSeconds))).to.be.below(longestGapSeconds);
        live = await LiveExample.read(example, labHostsByAddress());
        await live.waitForHealth();
        await example.upChangesNothing();
        return `${inSeconds(seconds)}, ${describeWriters(result)}`;
    }

    const three = ["etcd-1", "etcd-2", "etcd-3"];
    const grow = ["sed", "-i", `/"3": { host, address: "172.19.0.52"/a ${added.join(" ")}`, "index.ts"];
    const shrink = ["sed", "-i", `/address: "172.19.0.57"/d`, "index.ts"];

    it("from three members to five", async function () {
        note(this, await edit(grow, [...three, "etcd-4", "etcd-5"]));
    });

    it("back to three, with the data of the others kept", async function () {
        note(this, await edit(shrink, three));
        const volumes = await onHost(labHost, ["docker", "volume", "ls", "--format", "{{.Name}}"]);
        expect(lines(volumes)).to.include.members(["pg-ha-etcd-4", "pg-ha-etcd-5"]);
    });

    it("to five again, with members that were there before", async function () {
        note(this, await edit(grow, [...three, "etcd-4", "etcd-5"]));
        const kept = "docker volume inspect -f '{{.Mountpoint}}' pg-ha-etcd-4";
        expect(await scriptOnHost(labHost, `ls "$(${kept})"`)).to.match(/^data-\d{8}T\d{6}Z$/m);
    });
});
