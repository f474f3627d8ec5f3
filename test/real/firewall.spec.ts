import { expect } from "chai";
import { spawnSync } from "node:child_process";
import { FirewallConfig, renderFirewall, renderFirewallRemovalScript } from "../../components/render/firewall";
import { firewallNetwork } from "./firewallNetwork";

const config: FirewallConfig = {
    clusterName: "test-of-firewall",
    hosts: ["192.0.2.11", "192.0.2.12"],
    rules: [
        { name: "clients", ports: [5433], sources: ["192.0.2.0/29", "192.0.2.5"] },
        { name: "monitoring", ports: [7000], sources: ["192.0.2.60"] },
        { name: "operators", ports: [5432], sources: ["192.0.2.70"] },
    ],
    bridge: "docker_gwbridge",
};

/** Who asks, by the name of the network namespace. 5432 is a container's published port, 5433 and 7000 belong to programs of the host. */
const askers = ["peer", "client", "monitor", "operator", "stranger", "container", "host"] as const;

type Answers = { [asker: string]: string };

/** The ports that answer each asker: at first, with the rules, with the rules set again, and twice after their removal. */
function askAll(): Answers[] {
    const script = firewallNetwork(renderFirewall(config), renderFirewallRemovalScript(config.clusterName));
    const asRoot = process.getuid?.() === 0 ? [] : ["--map-root-user"];
    const command = [...asRoot, "--net", "--mount", "bash", "-euc", script];
    const { status, stdout, stderr, error } = spawnSync("unshare", command, {
        encoding: "utf8",
        env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NODE: process.execPath },
        timeout: 90_000,
    });
    if (error !== undefined || status !== 0) {
        const programs = "unshare, ip and nft are needed (apt-get install iproute2 nftables)";
        throw new Error(`${programs}: ${error?.message ?? stderr}`);
    }
    return stdout
        .trim()
        .split(/^--$/m)
        .filter((phase) => phase.trim() !== "")
        .map(
            (phase) =>
                Object.fromEntries(
                    phase
                        .trim()
                        .split("\n")
                        .map((line) => line.split(":")),
                ) as Answers,
        );
}

describe("The firewall, with the kernel's own nftables", () => {
    let phases: Answers[];
    const everything = "22 5432 5433 7000 9000";
    const open = Object.fromEntries(askers.map((asker) => [asker, everything]));

    before(() => {
        phases = askAll();
    });

    it("finds all ports open before", () => expect(phases[0]).to.deep.equal(open));

    it("closes the cluster's ports, a container's too, to all but those who have business there", () =>
        expect(phases[1]).to.deep.equal({
            ...open,
            client: "22 5433 9000",
            monitor: "22 7000 9000",
            operator: "22 5432 9000",
            stranger: "22 9000",
        }));

    it("does the same when it is set again", () => expect(phases[2]).to.deep.equal(phases[1]));

    it("leaves nothing behind when it is taken away, twice over", () => {
        expect(phases[3]).to.deep.equal(open);
        expect(phases[4]).to.deep.equal(open);
    });
});
