/** What a change does, for whoever reads the preview. */
export interface Announcement {
    /** In words, such as `rolling restart: …`. */
    words: string;
    /** Whether it deserves a look before it is let through. */
    alarming?: boolean;
}

/** Where a member has its data. */
export interface MemberPlace {
    name: string;
    /** Key of its host. */
    host: string;
    /** Directory on the host, or volume, with its data. */
    directory: string;
}

/** What changes among the members of a group. */
export interface MembersChange {
    added: MemberPlace[];
    removed: MemberPlace[];
    /** Members that get their data elsewhere. */
    moved: { from: MemberPlace; to: MemberPlace }[];
    /** How many stay where they are. */
    kept: number;
    /** Whether some were on one host before. */
    sharesHosts: boolean;
}

/** A change that must not happen: its message says why, and what to do. */
export class RefusedChange extends Error {}

/** What the replacement of a container means to the others and to clients. */
export const replacementWords = {
    patroni: (name: string, count: number): string =>
        count === 1
            ? `restart: ${name} is replaced; no other node can take over, so clients wait until it runs again`
            : `rolling restart: ${name} is replaced; if it leads, another node takes over first (switchover)`,
    store: (name: string, count: number): string =>
        count === 1
            ? `restart: ${name} is replaced; until it runs again no failover is possible`
            : `rolling restart: ${name} is replaced; the others keep the quorum`,
    proxy: (program: string, hosts: number): string =>
        `${hosts === 1 ? "restart" : "rolling restart"}: ${program} is replaced on ${hosts === 1 ? "its host" : "one host after the other"}; sessions through it end there, and connect again`,
    exporter: (name: string): string => `restart: ${name} is replaced; its metrics pause`,
};

/** Says what a change of Patroni's nodes does, and refuses one after which no node would have the data. */
export function describeNodesChange(change: MembersChange): Announcement[] {
    const { added, removed, moved, kept } = change;
    refuseTakenHosts(change);
    if (kept === 0) {
        throw new RefusedChange(
            "data loss: no node would stay where its data is. Change the nodes one at a time, so that each can copy the data of another; a single node's data is moved by dump and restore",
        );
    }
    return [
        ...added.map(({ name, host, directory }) => ({
            words: `new node: ${name} copies the leader's data to ${directory} on ${host}`,
        })),
        ...moved.map(({ from, to }) => ({
            words: `rebuild: ${to.name} copies the leader's data to ${to.directory} on ${to.host}; what is in ${from.directory} on ${from.host} stays there, unused; if it leads, another node takes over first (switchover)`,
            alarming: true,
        })),
        ...removed.map(({ name, host, directory }) => ({
            words: `removal: ${name} stops; if it leads, another node takes over first (switchover); its data stays in ${directory} on ${host}, and the cluster has one copy less`,
            alarming: true,
        })),
    ];
}

/** Refuses a member that comes to a host which another one leaves only at the end of the update. */
function refuseTakenHosts({ added, removed, moved, sharesHosts }: MembersChange): void {
    if (sharesHosts) {
        return;
    }
    const leaving = [...removed, ...moved.map(({ from }) => from)];
    for (const { name, host } of [...added, ...moved.map(({ to }) => to)]) {
        const last = leaving.find((place) => place.host === host && place.name !== name);
        if (last !== undefined) {
            throw new RefusedChange(
                `not possible: ${name} would come to ${host} while ${last.name} is still there and has its ports. Let ${last.name} stay, or give ${name} another host`,
            );
        }
    }
}

/** Labels of a Swarm node. */
export interface Labelling {
    nodeName: string;
    labels: { [name: string]: string };
    /** Names of those by which services are pinned to the node. */
    pinning: string[];
}

/** Refuses another value of a label that pins services to a host, or did so before: they follow it only after the labels. */
export function refuseOtherValues(host: string, before: Labelling, now: Labelling): void {
    if (before.nodeName !== now.nodeName) {
        return;
    }
    for (const label of new Set([...before.pinning, ...now.pinning])) {
        const [old, wanted] = [before.labels[label], now.labels[label]];
        if (old !== undefined && wanted !== undefined && old !== wanted) {
            throw new RefusedChange(
                `outage: Swarm would end what is pinned to ${host} by ${label}=${old} at once. Keep the value, or give a label of another name the value ${wanted}: services follow one at a time`,
            );
        }
    }
}

/** Says where a proxy comes to run, and where it goes. */
export function describeSpread({ added, removed }: MembersChange): Announcement[] {
    return [
        ...added.map(({ name }) => ({ words: `scale: ${name} is added` })),
        ...removed.map(({ name }) => ({
            words: `scale: ${name} goes; sessions through it end, and connect elsewhere`,
        })),
    ];
}

/** Says what a change of etcd's members does, and refuses one that would cost the quorum. */
export function describeEtcdChange(change: MembersChange): Announcement[] {
    const { added, removed, moved, kept } = change;
    const leaving = [...moved.map(({ from }) => from), ...removed];
    const before = kept + leaving.length;
    const quorum = Math.floor(before / 2) + 1;
    if (kept < quorum) {
        const names = leaving.map(({ name }) => name).join(", ");
        const most = before - quorum;
        throw new RefusedChange(
            `loss of the quorum: of etcd's ${before} members ${names} would leave with their data, and ${quorum} have to stay. ${most === 0 ? "Add members first" : `At most ${most} may leave at a time`}`,
        );
    }
    refuseTakenHosts(change);
    return [
        ...added.map(({ name, host }) => ({
            words: `new member: ${name} on ${host} joins etcd's quorum, and votes when it has caught up`,
        })),
        ...moved.map(({ from, to }) => ({
            words: `rebuild: ${to.name} leaves etcd's quorum and joins it anew from ${to.host}; what is in ${from.directory} on ${from.host} stays there, unused`,
            alarming: true,
        })),
        ...removed.map(({ name, host, directory }) => ({
            words: `removal: ${name} leaves etcd's quorum when all others are well; its data stays in ${directory} on ${host}`,
            alarming: true,
        })),
    ];
}

/** Refuses another set of a store's members: a member with an empty directory would not be let in, and the quorum be at risk. */
export function refuseStoreChange(store: string): (change: MembersChange) => never {
    return ({ added, removed, moved }) => {
        const names = [...added, ...removed, ...moved.map(({ to }) => to)].map(({ name }) => name);
        throw new RefusedChange(
            `not possible: ${store}'s members and the places of their data are fixed when the cluster is made, and ${names.join(", ")} would change. Take that change back`,
        );
    };
}

/** Says what another address range of plain Docker hosts' networks does, and refuses it without the one of before as consent. */
export function describeSubnetChange(before: string, after: string, consent?: string): Announcement[] {
    if (consent !== before) {
        throw new RefusedChange(
            `outage: dockerHosts.subnet would become ${after}, and all containers would stop at once, since their networks are made anew. ${before} is allowed; to change it all the same give previousSubnet: "${before}" beside it`,
        );
    }
    return [
        {
            words: `outage: all containers stop at once and start on networks that are made anew, with ${after} in place of ${before}; the data stays`,
            alarming: true,
        },
    ];
}
