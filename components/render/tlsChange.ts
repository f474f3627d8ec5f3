import { Announcement, RefusedChange } from "./changeWords";

/** What a change of a cluster's TLS turns on. */
export interface TlsRecord {
    /** Whether etcd members of the cluster's own speak TLS; undefined where there are none. */
    etcdTls?: boolean;
    /** Which of the cluster's own authorities sign. */
    authorityGeneration: number;
}

/** Says what a change of a cluster's TLS does, and refuses one that would cut its parts off from each other. */
export function describeTlsChange(before: TlsRecord, after: TlsRecord): Announcement[] {
    if (before.etcdTls !== after.etcdTls) {
        throw new RefusedChange(
            "not possible: etcd's members know each other by URL, with TLS or without it. Set tls.enableInternalTls back",
        );
    }
    const [from, to] = [before.authorityGeneration, after.authorityGeneration];
    if (Math.abs(to - from) > 1) {
        throw new RefusedChange(
            `not possible: tls.authorityGeneration went from ${from} to ${to}, and nobody trusts those authorities yet. Change it by one, with an up each time`,
        );
    }
    return from === to
        ? []
        : [{ words: `rolling restart: everything gets certificates of authority ${to}, which all trust already` }];
}
