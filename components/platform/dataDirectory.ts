import * as pulumi from "@pulumi/pulumi";
import { containerUser } from "../defaults";
import { failFunction, shellQuote } from "../render/shell";
import { createHostCommand, RunOn } from "./hostCommand";
import { HostConnection, WorkloadData } from "./workload";

/** File in a data directory that says whose it is. */
const identityFile = ".pgha-identity";

/**
 * Makes a data directory on its host, with owner, mode and an identity marker, and refuses one that belongs to another member or is too
 * full. There is no delete: data outlives everything.
 */
export function createDataDirectory(
    name: string,
    identity: string,
    data: WorkloadData,
    host: HostConnection,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const script = host.ready.apply(() => dataDirectoryScript(identity, data, host));
    const purpose = `make ${data.volumeName ?? data.hostPath}`;
    return createHostCommand(`${name}-data`, { host, purpose, script }, opts);
}

/** Looks, before a member's first start, at what is in its data directory `$dir`, and fails where the member must not begin there. */
export function checkDataDirectory(
    name: string,
    data: WorkloadData,
    check: string,
    host: HostConnection,
    opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const script = [failFunction(host), ...directoryLines(data), check].join("\n");
    const purpose = `look at ${data.volumeName ?? data.hostPath}`;
    return createHostCommand(`${name}-contents`, { host, purpose, script, runOn: RunOn.Create }, opts);
}

/** The script that makes a data directory. */
function dataDirectoryScript(
    identity: string,
    data: WorkloadData,
    host: Pick<HostConnection, "key" | "sshAddress">,
): string {
    return [
        failFunction(host),
        ...directoryLines(data),
        `me=${shellQuote(identity)}`,
        `mkdir -p "$dir" || fail "can't make $dir" "look at the file system with 'df $dir' and 'mount'"`,
        `free=$(df -Pm "$dir" | awk 'NR == 2 { print $4 }')`,
        `[ "$free" -ge ${data.minimumFreeMiB} ] || fail "$free MiB free under $dir, ${data.minimumFreeMiB} MiB needed" "free space there or choose another data root"`,
        `marker="$dir/${identityFile}"`,
        'if [ -e "$marker" ]; then',
        '  owner=$(cat "$marker")',
        `  [ "$owner" = "$me" ] || fail "$dir belongs to $owner, not to $me" "choose another data root or member, or move the foreign data away yourself"`,
        'elif [ -n "$(ls -A "$dir")" ]; then',
        `  fail "$dir is not empty and holds no marker of $me" "choose an empty directory, or write '$me' into $marker if the data is this member's"`,
        "else",
        '  printf "%s\\n" "$me" > "$marker.new" && mv "$marker.new" "$marker"',
        "fi",
        `chown ${containerUser.uid}:${containerUser.gid} "$dir"`,
        'chmod 700 "$dir"',
    ].join("\n");
}

/** Sets `$dir` to the directory. */
function directoryLines({ volumeName, hostPath }: WorkloadData): string[] {
    return volumeName === undefined ? [`dir=${shellQuote(hostPath)}`] : volumeLines(volumeName);
}

/** Makes a named volume, and takes the directory that holds it. */
function volumeLines(name: string): string[] {
    const volume = shellQuote(name);
    return [
        `docker volume create ${volume} >/dev/null || fail ${shellQuote(`can't make the volume ${name}`)} "look at 'docker volume ls' there"`,
        `dir=$(docker volume inspect -f '{{.Mountpoint}}' ${volume})`,
    ];
}
