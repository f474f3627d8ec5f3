import * as pulumi from "@pulumi/pulumi";
import { Announcement, MemberPlace, MembersChange } from "../render/changeWords";
import { announceChanges } from "./announcement";
import { HostConnection, Workload } from "./workload";

/**
 * Keeps in the state which members a group has and where their data is, so that a preview can say what another set of them means, and
 * refuse it. What else is known of a member may have to wait for new passwords or certificates.
 */
export function recordMembers(
    name: string,
    members: { host: HostConnection; workload: Workload }[],
    announce: (change: MembersChange) => Announcement[],
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const places = members.map(({ host, workload: { name: member, data } }): MemberPlace => {
        return { name: member, host: host.key, directory: data?.volumeName ?? data?.hostPath ?? "" };
    });
    const recordName = `${name}-members`;
    const hooks = announceChanges(
        recordName,
        "input",
        (before, after) => describe(before, after, announce),
        opts.parent,
    );
    return new pulumi.Stash(recordName, { input: JSON.stringify(places) }, { ...opts, hooks });
}

function describe(before: string, after: string, announce: (change: MembersChange) => Announcement[]): Announcement[] {
    const [old, now] = [byName(before), byName(after)];
    const both = [...now.values()].flatMap((to) => {
        const from = old.get(to.name);
        return from === undefined ? [] : [{ from, to }];
    });
    const moved = both.filter(({ from, to }) => from.host !== to.host || from.directory !== to.directory);
    const added = [...now.values()].filter(({ name }) => !old.has(name));
    const removed = [...old.values()].filter(({ name }) => !now.has(name));
    // Another order is no other set.
    return added.length + removed.length + moved.length === 0
        ? []
        : announce({ added, removed, moved, kept: both.length - moved.length, sharesHosts: sharesHosts(old) });
}

function sharesHosts(places: Map<string, MemberPlace>): boolean {
    return new Set([...places.values()].map(({ host }) => host)).size < places.size;
}

function byName(json: string): Map<string, MemberPlace> {
    return new Map((JSON.parse(json) as MemberPlace[]).map((place) => [place.name, place]));
}
