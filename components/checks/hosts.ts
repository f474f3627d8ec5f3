import { hostLabel } from "../defaults";
import type { HostArgs } from "../host";
import { markLabel } from "../render/hostScripts";
import { Problem } from "./problem";
import { checkKey, checkLabelName, checkLabelValue } from "./names";
import { checkAddress, checkNumber, portBounds } from "./values";

/** The least memory with which PostgreSQL, Patroni and etcd start. */
const leastMemoryMiB = 512;

/** Kinds of keys that sshd shows. */
const hostKeyForm = /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+=*( .*)?$/;

/** Checks one host by itself. */
export function checkHost(key: string, args: HostArgs): Problem[] {
    const path = `hosts.${key}`;
    const labels = Object.entries(args.labels ?? {});
    return [
        ...checkKey(path, key),
        ...checkAddress(`${path}.address`, args.address),
        ...(args.sshAddress === undefined ? [] : checkSshAddress(`${path}.sshAddress`, args.sshAddress)),
        ...checkNumber(`${path}.memoryMiB`, args.memoryMiB, { min: leastMemoryMiB, max: Infinity }),
        ...checkNumber(`${path}.ssh.port`, args.ssh?.port, portBounds),
        ...checkLogin(`${path}.ssh.user`, args.ssh?.user),
        ...checkHostKey(`${path}.ssh.hostKey`, args.ssh?.hostKey),
        ...labels.flatMap(([name, value]) => [
            ...checkLabelName(`${path}.labels`, name),
            ...checkOwnLabel(`${path}.labels`, name),
            ...checkLabelValue(`${path}.labels["${name}"]`, value),
        ]),
        ...checkNodeName(`${path}.nodeName`, args.nodeName),
        ...checkPlacementLabel(`${path}.placementLabel`, args),
        ...Object.entries(args.sysctls ?? {}).flatMap(([name, value]) => checkSysctl(path, name, value)),
    ];
}

/** What a host lacks, but may. */
export function hostWarnings(key: string, args: HostArgs): Problem[] {
    if (args.ssh?.hostKey !== undefined) {
        return [];
    }
    const reason = `no host key is given, so any machine at ${args.sshAddress ?? args.address} is believed; give the line that 'ssh-keyscan -t ed25519 ${args.sshAddress ?? args.address}' shows, once you have compared it on the host`;
    return [{ path: `hosts.${key}.ssh.hostKey`, reason }];
}

function checkSshAddress(path: string, address: string): Problem[] {
    // 127.0.0.1 with a forwarded port is a fair way to reach a host.
    return /^[A-Za-z0-9]([A-Za-z0-9.:-]*[A-Za-z0-9])?$/.test(address)
        ? []
        : [{ path, reason: `"${address}" was given; an IP address or a host name is allowed` }];
}

function checkLogin(path: string, user: string | undefined): Problem[] {
    return user === undefined || /^[a-z_][a-z0-9_-]*$/.test(user)
        ? []
        : [{ path, reason: `"${user}" was given; a login name is allowed` }];
}

function checkHostKey(path: string, hostKey: string | undefined): Problem[] {
    if (hostKey === undefined || hostKeyForm.test(hostKey.trim())) {
        return [];
    }
    const reason = `"${hostKey.slice(0, 40)}" was given; a public key as in /etc/ssh/ssh_host_ed25519_key.pub is allowed, such as "ssh-ed25519 AAAA…"`;
    return [{ path, reason }];
}

function checkNodeName(path: string, nodeName: string | undefined): Problem[] {
    return nodeName === undefined || /^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$/.test(nodeName)
        ? []
        : [{ path, reason: `"${nodeName}" was given; a host name as 'docker node ls' shows it is allowed` }];
}

function checkOwnLabel(path: string, name: string): Problem[] {
    return name === hostLabel || name === markLabel
        ? [{ path, reason: `"${name}" is this library's own; another name is allowed` }]
        : [];
}

function checkPlacementLabel(path: string, args: HostArgs): Problem[] {
    const label = args.placementLabel;
    if (label === undefined || label === hostLabel || args.labels?.[label] !== undefined) {
        return [];
    }
    const names = [hostLabel, ...Object.keys(args.labels ?? {})].join(", ");
    return [{ path, reason: `"${label}" was given; one of this host's labels is allowed: ${names}` }];
}

function checkSysctl(path: string, name: string, value: string): Problem[] {
    if (!/^[a-z0-9_]+([./][A-Za-z0-9_-]+)+$/.test(name)) {
        return [{ path: `${path}.sysctls`, reason: `"${name}" was given; a name such as "vm.swappiness" is allowed` }];
    }
    return /^[A-Za-z0-9 ._-]+$/.test(value)
        ? []
        : [{ path: `${path}.sysctls["${name}"]`, reason: `"${value}" was given; words and numbers are allowed` }];
}
