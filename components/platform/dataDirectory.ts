import * as pulumi from "@pulumi/pulumi";
import { containerUser } from "../defaults";
import { failFunction, NamedHost, shellQuote } from "../render/shell";
import { createHostCommand } from "./hostCommand";
import { keepBack } from "./readiness";
import { HostConnection, WorkloadData } from "./workload";

/** File in a data directory that says whose it is. */
const identityFile = ".pgha-identity";

/** What the making of a data directory answers where nothing was in it. */
const nothing = "empty";

/** A data directory on a host. */
export interface DataDirectory {
    resource: pulumi.Resource;
    /** Whether nothing was in it when it was last looked at. */
    empty: pulumi.Output<boolean>;
}

/**
 * Makes a data directory on its host, with owner, mode and an identity marker, and refuses one that belongs to another member or is too
 * full. There is no delete: data outlives everything.
 *
 * @param after - what has to be there before anything is done on the host
 */
export function createDataDirectory(
    name: string,
    identity: string,
    data: WorkloadData,
    host: HostConnection,
    after: pulumi.Output<string>[],
    opts: pulumi.CustomResourceOptions,
): DataDirectory {
    const script = keepBack(dataDirectoryScript(identity, data, host), [host.ready, ...after]);
    const purpose = `make ${data.volumeName ?? data.hostPath}`;
    const resource = createHostCommand(`${name}-data`, { host, purpose, script }, opts);
    // Pulumi's mocks give no output.
    const answer: pulumi.Output<string | undefined> = resource.stdout;
    return { resource, empty: answer.apply((text) => text?.trim() === nothing) };
}

/** The script in the data directory, which is `$dir` to it. */
export function inDataDirectory(host: NamedHost, data: WorkloadData, script: string): string {
    return [failFunction(host), ...directoryLines(data), script].join("\n");
}

/** The script that makes a data directory. */
function dataDirectoryScript(identity: string, data: WorkloadData, host: NamedHost): string {
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
        ...noteLines(data.note),
    ].join("\n");
}

/** Tells whether there is more than the marker and the note, and writes the note. */
function noteLines(note: WorkloadData["note"]): string[] {
    if (note === undefined) {
        return [];
    }
    const own = [identityFile, note.name, `${note.name}.new`].map((name) => `! -name ${shellQuote(name)}`).join(" ");
    return [
        `kept=$(find "$dir" -mindepth 1 -maxdepth 1 ${own})`,
        `[ -n "$kept" ] || echo ${nothing}`,
        `note="$dir/"${shellQuote(note.name)}`,
        `write_note() { printf '%s' ${shellQuote(note.content)} > "$note.new" && chmod 644 "$note.new" && mv "$note.new" "$note"; }`,
        "write_note || fail \"can't write $note\" \"look for a full disk with 'df' there, then run 'pulumi up' again\"",
    ];
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
