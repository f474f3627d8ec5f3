import { isIPv4 } from "node:net";
import type { ClusterNetworkArgs } from "../clusterNetwork";
import { defaultPoolerSubnet, defaultSubnet } from "../defaults";
import { Problem } from "./problem";

/** Prefix lengths that leave room for the entry points and other stacks, and that Docker takes. */
const prefixLength = { min: 8, max: 28 };

/** An IPv4 network as numbers. */
interface Ipv4Network {
    address: number;
    mask: number;
}

/** Checks the settings of the overlay network. */
export function checkNetwork(path: string, args: ClusterNetworkArgs): Problem[] {
    const problems: Problem[] = [];
    if (args.name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(args.name)) {
        const reason = `"${args.name}" was given; up to 63 letters, digits, "_", "." and "-" are allowed`;
        problems.push({ path: `${path}.name`, reason });
    }
    if (args.subnet !== undefined) {
        problems.push(...checkSubnet(`${path}.subnet`, args.subnet));
        if (args.existingNetworkId !== undefined) {
            const reason = `"${args.subnet}" was given beside existingNetworkId; the existing network has its own`;
            problems.push({ path: `${path}.subnet`, reason });
        }
    }
    if (args.poolerSubnet !== undefined) {
        problems.push(...checkSubnet(`${path}.poolerSubnet`, args.poolerSubnet));
    }
    return problems;
}

/** Checks that the overlays' ranges have no address in common. */
export function checkSubnetsApart(path: string, args: ClusterNetworkArgs): Problem[] {
    const subnet = args.subnet ?? defaultSubnet;
    const poolerSubnet = args.poolerSubnet ?? defaultPoolerSubnet;
    const [range, other] = [parseNetwork(subnet), parseNetwork(poolerSubnet)];
    if (range === undefined || other === undefined || !overlap(range, other)) {
        return [];
    }
    return [
        {
            path: `${path}.poolerSubnet`,
            reason: `${poolerSubnet} overlaps ${path}.subnet ${subnet}; a range beside it is allowed`,
        },
    ];
}

/** Checks that no host's address lies in the overlay's range: containers would then look for the host inside it. */
export function checkSubnetApart(path: string, subnet: string | undefined, addresses: string[]): Problem[] {
    const range = parseNetwork(subnet ?? defaultSubnet);
    const inside = addresses.filter((address) => range !== undefined && isIPv4(address) && contains(range, address));
    return inside.map((address) => ({
        path,
        reason: `${subnet ?? defaultSubnet} contains the host address ${address}; a range that no host lies in is allowed`,
    }));
}

/** Checks the form of an IPv4 network. */
export function checkSubnet(path: string, subnet: string): Problem[] {
    const network = parseNetwork(subnet);
    if (network === undefined) {
        return [{ path, reason: `"${subnet}" was given; an IPv4 network such as "${defaultSubnet}" is allowed` }];
    }
    const length = Number(subnet.split("/")[1]);
    if (length < prefixLength.min || length > prefixLength.max) {
        const reason = `"${subnet}" was given; a prefix length from ${prefixLength.min} to ${prefixLength.max} is allowed`;
        return [{ path, reason }];
    }
    if ((network.address & ~network.mask) !== 0) {
        return [{ path, reason: `"${subnet}" was given; the bits after the prefix must be zero` }];
    }
    return [];
}

export function parseNetwork(text: string): Ipv4Network | undefined {
    const [address = "", length = "", ...rest] = text.split("/");
    if (!isIPv4(address) || !/^\d{1,2}$/.test(length) || Number(length) > 32 || rest.length > 0) {
        return undefined;
    }
    const bits = Number(length);
    return { address: toNumber(address), mask: bits === 0 ? 0 : (-1 << (32 - bits)) | 0 };
}

/** What an address is to a network. */
export type AddressPlace = "usable" | "outside" | "the network's own address" | "the gateway" | "the broadcast address";

/** Tells whether a container may have an address; Docker's gateway is the first of a network. */
export function addressPlace(subnet: string, address: string): AddressPlace | undefined {
    const network = parseNetwork(subnet);
    if (network === undefined) {
        return undefined;
    }
    if (!contains(network, address)) {
        return "outside";
    }
    const rest = toNumber(address) & ~network.mask;
    const special: { [rest: number]: AddressPlace } = {
        0: "the network's own address",
        1: "the gateway",
        [~network.mask]: "the broadcast address",
    };
    return special[rest] ?? "usable";
}

function contains(network: Ipv4Network, address: string): boolean {
    return (toNumber(address) & network.mask) === (network.address & network.mask);
}

function overlap(a: Ipv4Network, b: Ipv4Network): boolean {
    const mask = a.mask & b.mask;
    return (a.address & mask) === (b.address & mask);
}

function toNumber(address: string): number {
    return address.split(".").reduce((sum, part) => (sum << 8) | Number(part) | 0, 0);
}
