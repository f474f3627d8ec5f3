import { BlockList } from "node:net";
import { networkInterfaces } from "node:os";
import { run } from "../../lab/helpers/command";
import { readSettings } from "../../lab/helpers/settings";

/** What the lab's hosts are: nodes of a Swarm, three plain Docker hosts, or one of them. */
export enum LabMachines {
    Swarm = "",
    Plain = "--plain",
    Single = "--single",
}

const timeoutSeconds = 600;

/** Makes the lab's hosts what an example needs. */
export async function bringUpLab(machines: LabMachines): Promise<void> {
    await run("lab/up.sh", machines === LabMachines.Swarm ? [] : [machines], { timeoutSeconds });
}

/** The lab's hosts as the setting `hosts` of an example without a Swarm, under the example's own names for them. */
export function hostsAs(keys: string[], more: object = {}): { [key: string]: object } {
    const hosts = Object.values(readSettings().hosts);
    return Object.fromEntries(
        keys.map((key, index) => {
            const host = hosts[index];
            if (host === undefined) throw new Error(`the lab has no host for ${key}`);
            const { address, memoryMiB, ssh } = host;
            return [key, { address, memoryMiB, ssh, ...more }];
        }),
    );
}

/** The same on a Swarm, whose nodes keep the lab's names. */
export function swarmHostsAs(keys: string[], more: (index: number) => object): { [key: string]: object } {
    const nodeNames = Object.keys(readSettings().hosts);
    const hosts = Object.entries(hostsAs(keys));
    return Object.fromEntries(
        hosts.map(([key, host], index) => [key, { ...host, nodeName: nodeNames[index], ...more(index) }]),
    );
}

/** The lab's names of its hosts, by address. */
export function labHostsByAddress(): Map<string, string> {
    return new Map(Object.entries(readSettings().hosts).map(([name, { address }]) => [address, name]));
}

/** This machine's address in the lab's network: as a client of the cluster, and no host of it. */
export function clientAddress(): string {
    const [host = ""] = labHostsByAddress().keys();
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    const found = own.find(({ address, family, cidr }) => {
        const network = new BlockList();
        if (family === "IPv4") network.addSubnet(address, Number(cidr?.split("/")[1]));
        return network.check(host);
    });
    if (found === undefined) throw new Error(`this machine has no address in the network of ${host}; is the lab up?`);
    return found.address;
}

/** Names of the hosts that are powered on. */
export function labHosts(machines: LabMachines): string[] {
    const hosts = [...labHostsByAddress().values()];
    return machines === LabMachines.Single ? hosts.slice(0, 1) : hosts;
}
