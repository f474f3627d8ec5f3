import { defaultPorts, workloadNames } from "../../../components/defaults";
import { etcdctl } from "../../../components/render/etcdYaml";
import { inContainer, lines } from "./hosts";
import { readSettings } from "./settings";
import { eventually } from "./wait";

const joinSeconds = 120;

/** What the quorum knows of a member. */
interface EtcdMember {
    id: string;
    votes: boolean;
}

/** The service of a host's member. */
export function etcdService(host: string): string {
    return `${readSettings().clusterName}-${workloadNames.etcd(host)}`;
}

/** A member's row in the quorum's list, as another one gives it. */
export async function readEtcdMember(witness: string, host: string): Promise<EtcdMember> {
    const list = await inContainer(witness, etcdService(witness), [...etcdctl(true), "member", "list"]);
    const rows = lines(list).map((line) => line.split(", "));
    const row = rows.find(([, , name]) => name === workloadNames.etcd(host));
    const wanted = Object.keys(readSettings().hosts).length;
    if (row === undefined || rows.length !== wanted) throw new Error(`not ${wanted} members with ${host}:\n${list}`);
    return { id: row[0] ?? "", votes: row[5]?.trim() === "false" && row[4] !== "" };
}

/** Waits until a member that has lost its data votes again, as another one than before. */
export function waitForNewMember(witness: string, host: string, before: EtcdMember): Promise<void> {
    return eventually(`etcd's member on ${host} votes again`, joinSeconds, async () => {
        const { id, votes } = await readEtcdMember(witness, host);
        if (id === before.id || !votes) throw new Error(`it is ${id}, ${votes ? "with" : "without"} a vote`);
    });
}

/** Has etcd led from a host's member. */
export async function leadEtcdFrom(host: string): Promise<void> {
    const { id } = await readEtcdMember(host, host);
    const urls = Object.values(readSettings().hosts).map(
        ({ address }) => `https://${address}:${defaultPorts.etcdClient}`,
    );
    await inContainer(host, etcdService(host), [...etcdctl(true, urls.join(",")), "move-leader", id]);
}
