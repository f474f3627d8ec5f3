import { readFileSync } from "node:fs";
import { RunningCommand, sessionProcesses, start } from "./command";
import { Source } from "./leaks";

/** Prints what `ps axww -e` shows, again and again until standard input ends. */
const watch = `
while read -r -t 0.2; [ $? -gt 128 ]; do
    cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' || true
done`;

const watchTimeoutSeconds = 600;
const samplePauseMs = 100;

/** Watches command lines and environments of all processes: those of the hosts and their containers, and those of one session here. */
export class ProcessWatch {
    private readonly hosts: Map<string, RunningCommand>;
    private readonly ownLines = new Set<string>();
    private readonly timer: NodeJS.Timeout;

    public constructor(hosts: string[], session: number) {
        this.hosts = new Map(
            hosts.map((host) => [
                host,
                start("lab/host.sh", ["exec", host, "bash", "-c", watch], {
                    holdInput: true,
                    timeoutSeconds: watchTimeoutSeconds,
                }),
            ]),
        );
        this.timer = setInterval(() => this.sampleSession(session), samplePauseMs);
    }

    public async stop(): Promise<Source[]> {
        clearInterval(this.timer);
        const sources: Source[] = [{ name: "processes on this machine", text: [...this.ownLines].join("\n") }];
        for (const [host, command] of this.hosts) {
            command.endInput();
            sources.push({ name: `processes on ${host}`, text: (await command.ended).stdout });
        }
        return sources;
    }

    private sampleSession(session: number): void {
        for (const pid of sessionProcesses(session)) {
            for (const file of ["cmdline", "environ"]) {
                this.ownLines.add(readOrNothing(`/proc/${pid}/${file}`));
            }
        }
    }
}

/** A process may end before its file is read. */
function readOrNothing(file: string): string {
    try {
        return readFileSync(file, "utf8");
    } catch {
        return "";
    }
}
