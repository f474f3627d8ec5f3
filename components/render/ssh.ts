/** Seconds that a host has to answer before it counts as unreachable: a wrong address must not hide behind minutes of waiting. */
export const sshConnectTimeoutSeconds = 10;

/** A login by ssh, as the user gives it. */
export interface SshLogin {
    user?: string;
    port?: number;
    hostKey?: string;
}

/** Options of OpenSSH's client that refuse an unknown key without a file on the operator's machine. */
export function sshOptions(ssh: SshLogin): string[] {
    const options = ["BatchMode=yes", `ConnectTimeout=${sshConnectTimeoutSeconds}`];
    if (ssh.hostKey !== undefined) {
        const [type, key] = ssh.hostKey.trim().split(/\s+/);
        options.push("StrictHostKeyChecking=yes", "UserKnownHostsFile=/dev/null", "GlobalKnownHostsFile=/dev/null");
        options.push(`KnownHostsCommand=/bin/echo %H ${type} ${key}`, `HostKeyAlgorithms=${type}`);
    } else {
        options.push("StrictHostKeyChecking=accept-new");
    }
    return options.flatMap((option) => ["-o", option]);
}

/** Arguments of OpenSSH's client up to the command. */
export function sshArguments(address: string, ssh: SshLogin): string[] {
    return [...sshOptions(ssh), "-p", `${sshPort(ssh)}`, `${sshUser(ssh)}@${address}`];
}

/** The login on a host. */
export function sshUser(ssh: SshLogin): string {
    return ssh.user ?? "root";
}

/** The port of a host's sshd. */
export function sshPort(ssh: SshLogin): number {
    return ssh.port ?? 22;
}

/** The shell that takes its script from standard input. */
export function rootShell(ssh: SshLogin): string {
    return sshUser(ssh) === "root" ? "sh -eu -s --" : "sudo -n sh -eu -s --";
}

/** A script as functions: they are read whole before anything runs, and what they call finds an empty standard input. */
export function standardInput(script: string, deleteScript = ":"): string {
    return `run() {\n${script}\n}\ndelete() {\n${deleteScript}\n}\n"$1" </dev/null\n`;
}
