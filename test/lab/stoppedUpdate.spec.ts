import { expect } from "chai";
import { Cluster, readCluster, waitForHealth } from "./helpers/cluster";
import { onHost } from "./helpers/hosts";
import { assertListening } from "./helpers/outages";
import { up, upFails } from "./helpers/pulumi";
import { editSettings, readSettings } from "./helpers/settings";
import { inSeconds, note } from "./helpers/wait";

/** A port that HAProxy is to have on all hosts, and that somebody else has on one. */
const port = 7777;
const [host, holder] = ["db3", "port-holder"];

describe("an update that Swarm stops", function () {
    this.timeout(900_000);
    let cluster: Cluster;

    const takePort = (): Promise<string> => {
        const serve = ["--entrypoint", "python3", readSettings().images.patroni, "-m", "http.server", String(port)];
        return onHost(host, ["docker", "run", "--detach", "--rm", "--name", holder, "--network", "host", ...serve]);
    };
    const freePort = (): Promise<string> => onHost(host, ["docker", "rm", "--force", holder]);

    before(async () => {
        cluster = await readCluster();
        await waitForHealth(cluster);
    });

    after("pulumi up with the stack's own settings", async () => {
        await freePort();
        await up();
        await waitForHealth(cluster);
    });

    it("because a port is taken on one host, goes on with the next up when it is free", async function () {
        const configFile = editSettings((settings) => {
            settings.haproxy = { ...settings.haproxy, ports: { ...settings.haproxy?.ports, statistics: port } };
        });
        await takePort();
        const { output } = await upFails({ configFile });
        expect(output).to.match(/lab-haproxy: Swarm stopped its update/);
        expect(output).to.match(new RegExp(`lab-haproxy.* on ${host}: .*address already in use`));
        const others = cluster.endpoints.readWrite.filter((endpoint) => !endpoint.startsWith(addressOf(cluster, host)));
        await Promise.all(others.map(assertListening));

        await freePort();
        const { seconds } = await up({ configFile });
        note(this, inSeconds(seconds));
        await waitForHealth(cluster);
        const { endpoints } = await readCluster();
        expect(endpoints.statistics.every((endpoint) => endpoint.endsWith(`:${port}`))).to.equal(true);
        await Promise.all(endpoints.statistics.map(assertListening));
        await up({ configFile, options: ["--expect-no-changes"] });
    });
});

function addressOf({ nodes }: Cluster, key: string): string {
    const node = nodes[key];
    if (node === undefined) throw new Error(`there is no node ${key}`);
    return node.address;
}
