import type { EtcdQuorumArgs } from "./etcdQuorum";
import type { ServerCertificate } from "./clusterCertificates";
import {
    containerPaths,
    defaultDataRoot,
    defaultPorts,
    defaultResources,
    etcdDefaults,
    workloadNames,
} from "./defaults";
import { EtcdLocation, locateEtcdMember, publishedPorts } from "./memberLocation";
import { objectName } from "./platform/objectName";
import { labelConstraints } from "./platform/placement";
import { Member } from "./platform/rollout";
import { logsCommand } from "./platform/target";
import { HostConnection, Workload, WorkloadData, WorkloadFile } from "./platform/workload";
import { replacementWords } from "./render/changeWords";
import {
    EtcdScript,
    renderEtcdAdmissionScript,
    renderEtcdGateScript,
    renderEtcdGuardScript,
} from "./render/etcdScripts";
import { EtcdAdmission, etcdFiles, renderEtcdStartScript } from "./render/etcdStartScript";
import { EtcdMemberConfig, renderEtcdMembers, renderEtcdYaml } from "./render/etcdYaml";
import { curlLocal, withoutOutput } from "./render/http";

/** Free space, in MiB, that a member needs to begin with: the quota, a snapshot and the write-ahead log fit many times at Patroni's size. */
const minimumFreeMiB = 512;

/** Time for the members to run, and then to form a quorum. */
export const startTimeoutSeconds = 120;

/** A member, and where it is found. */
export interface LocatedMember {
    key: string;
    host: HostConnection;
    location: EtcdLocation;
    address?: string;
}

/** Finds the members whose hosts are known. */
export function locateMembers(args: EtcdQuorumArgs): LocatedMember[] {
    return Object.entries(args.members).flatMap(([key, member]) => {
        const host = args.hosts[member.host];
        return host === undefined
            ? []
            : [{ key, host, location: locateEtcdMember(host.address, member, args), address: member.address }];
    });
}

/** What scripts on its host need. */
export function scriptOf({ host, key }: LocatedMember, { target, certificates }: EtcdQuorumArgs): EtcdScript {
    const name = workloadNames.etcd(key);
    return {
        host,
        serviceName: objectName(target.clusterName, name),
        logsCommand: logsCommand(target, name),
        tls: certificates !== undefined,
        timeoutSeconds: startTimeoutSeconds,
    };
}

/** Its name in etcd. */
export function nameOf({ key }: LocatedMember): string {
    return workloadNames.etcd(key);
}

/** A member as one of a roll-out. */
export function etcdRolloutMember(own: LocatedMember, members: LocatedMember[], args: EtcdQuorumArgs): Member {
    const config = memberConfig(own, members, args);
    const list = renderEtcdMembers(config);
    const data = dataOf(config.name, list, args);
    return {
        ...own,
        constraints: labelConstraints(args.placementLabel, own.host),
        workload: etcdWorkload(own, config, list, data, args),
        replacementWords: replacementWords.store(config.name, members.length),
        admission: (isNewGroup) => renderEtcdAdmissionScript(list, isNewGroup ? EtcdAdmission.New : EtcdAdmission.Join),
        beforeUpdate: renderEtcdGuardScript(scriptOf(own, args)),
        afterUpdate: renderEtcdGateScript(scriptOf(own, args)),
    };
}

function memberConfig(own: LocatedMember, members: LocatedMember[], args: EtcdQuorumArgs): EtcdMemberConfig {
    return {
        name: nameOf(own),
        members: members.map(({ key, location: { address, client, peer } }) => ({
            name: workloadNames.etcd(key),
            address,
            clientPort: client.known,
            peerPort: peer.known,
        })),
        clusterToken: args.target.clusterName,
        heartbeatIntervalMilliseconds: args.heartbeatIntervalMilliseconds ?? etcdDefaults.heartbeatIntervalMilliseconds,
        electionTimeoutMilliseconds: args.electionTimeoutMilliseconds ?? etcdDefaults.electionTimeoutMilliseconds,
        quotaBackendMiB: args.quotaBackendMiB ?? 2048,
        tls: args.certificates !== undefined,
    };
}

function dataOf(name: string, list: string, { dataRoot, dataVolumes, target }: EtcdQuorumArgs): WorkloadData {
    return {
        hostPath: `${dataRoot ?? defaultDataRoot}/${target.clusterName}/${name}`,
        volumeName: dataVolumes === true ? objectName(target.clusterName, name) : undefined,
        path: containerPaths.etcdData,
        minimumFreeMiB,
        note: { name: etcdFiles.members, content: list },
    };
}

function etcdWorkload(
    own: LocatedMember,
    config: EtcdMemberConfig,
    list: string,
    data: WorkloadData,
    args: EtcdQuorumArgs,
): Workload {
    return {
        name: config.name,
        image: args.image,
        args: ["sh", containerPaths.etcdStart],
        files: [
            { key: "config", path: containerPaths.etcdConfig, content: renderEtcdYaml(config), secret: false },
            { key: "start", path: containerPaths.etcdStart, content: renderEtcdStartScript(config), secret: false },
            // Members that the member knew first: where all of its directory is lost, one of them leads it to the others.
            { key: "members", path: containerPaths.etcdMembers, content: list, secret: false, frozen: true },
            ...tlsFiles(args.certificates?.members[own.key]),
        ],
        data,
        tmpfs: [{ path: "/tmp", sizeMiB: 16 }],
        ports: publishedPorts(own.location.client, own.location.peer, own.location.metrics),
        address: own.address,
        resources: args.resources ?? defaultResources.etcd,
        // A member without quorum is not ill: killing it would not bring the others back.
        health: {
            command: curlLocal(withoutOutput, defaultPorts.etcdMetrics, "/livez"),
            intervalSeconds: 5,
            timeoutSeconds: 5,
            retries: 6,
            startPeriodSeconds: 60,
        },
        stopGraceSeconds: 30,
        restartDelaySeconds: 1,
    };
}

function tlsFiles(own: ServerCertificate | undefined): WorkloadFile[] {
    if (own === undefined) {
        return [];
    }
    return [
        { key: "cert", path: containerPaths.etcdCertificate, content: own.certificate, secret: false },
        { key: "key", path: containerPaths.serverKey, content: own.privateKey, secret: true },
        { key: "ca", path: containerPaths.etcdCa, content: own.caCertificate, secret: false },
    ];
}
