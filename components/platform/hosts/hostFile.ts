import * as pulumi from "@pulumi/pulumi";
import { containerUser } from "../../defaults";
import { failFunction, shellQuote } from "../../render/shell";
import { createHostCommand } from "../hostCommand";
import { objectName, versionedName } from "../objectName";
import { HostConnection, WorkloadFile } from "../workload";

/** A file on a host, as a container mounts it. */
export interface HostFile {
    /** Absolute path on the host. */
    hostPath: pulumi.Output<string>;
    resource: pulumi.Resource;
}

/** Arguments of {@link createHostFile}. */
export interface HostFileArgs {
    host: HostConnection;
    /** Directory of the workload's files: only root and the container's user may enter it. */
    directory: string;
    file: WorkloadFile;
}

/**
 * Writes a file of a workload on its host.
 *
 * The name carries the content's hash: the new file is there before the container is replaced, and the old one goes after it. A frozen file has a name of its own and is left as it is once it is there.
 */
export function createHostFile(name: string, args: HostFileArgs, opts: pulumi.CustomResourceOptions): HostFile {
    const { file, host, directory } = args;
    const content = pulumi.output(file.content);
    const hostPath = file.frozen
        ? pulumi.output(`${directory}/${file.key}`)
        : // 40 bits of a hash of generated passwords tell nothing about them; a secret path would hide the whole container in a preview.
          pulumi.unsecret(content.apply((text) => `${directory}/${versionedName(file.key, text)}`));
    const script = pulumi
        .all([content, hostPath, host.ready])
        .apply(([text, path]) => writeScript(host, directory, path, text, file));
    const resource = createHostCommand(
        objectName(name, file.key),
        {
            host,
            purpose: `write ${file.path} for ${name}`,
            script,
            showScript: !file.secret,
            deleteScript: hostPath.apply((path) => deleteScript(directory, path)),
            replaceOn: hostPath,
        },
        { ...opts, deleteBeforeReplace: false, ignoreChanges: file.frozen ? ["stdin"] : [] },
    );
    return { hostPath, resource };
}

function writeScript(
    host: HostConnection,
    directory: string,
    path: string,
    content: string,
    { frozen, secret }: WorkloadFile,
): string {
    const owner = `${containerUser.uid}:${containerUser.gid}`;
    return [
        failFunction(host),
        `dir=${shellQuote(directory)}`,
        `file=${shellQuote(path)}`,
        'mkdir -p "$dir" || fail "can\'t make $dir" "look at the file system with \'df\' and \'mount\' there"',
        `chown ${owner} "$dir" && chmod 700 "$dir"`,
        ...(frozen ? ['[ ! -e "$file" ] || exit 0'] : []),
        "umask 077",
        `write() { printf '%s' ${shellQuote(content)} > "$file.new" && chown ${owner} "$file.new" && chmod ${secret ? "0400" : "0444"} "$file.new" && mv "$file.new" "$file"; }`,
        "write || fail \"can't write $file\" \"look for a full disk with 'df' there, then run 'pulumi up' again\"",
    ].join("\n");
}

/**
 * Removes the file, and the directories that it leaves empty. One that a container mounts stays: content that was put back after an update
 * had failed is at the path that this update left behind.
 */
function deleteScript(directory: string, path: string): string {
    const up = shellQuote(directory.replace(/\/[^/]*$/, ""));
    return [
        `file=${shellQuote(path)}`,
        "mounts() { docker ps --all --quiet | xargs -r docker inspect --format '{{range .Mounts}}{{println .Source}}{{end}}'; }",
        'mounts 2>/dev/null | grep -qxF -e "$file" || rm -f "$file"',
        `rmdir ${shellQuote(directory)} ${up} 2>/dev/null || true`,
    ].join("\n");
}
