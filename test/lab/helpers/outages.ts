import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const pauseMs = 100;
const answerTimeoutMs = 3000;

/** Asks several members again and again whether they answer, and remembers who was silent, and who at the same time as another. */
export class OutageWatch {
    /** All that did not answer once or more. */
    public readonly silent = new Set<string>();
    /** Groups that did not answer at the same time. */
    public readonly together: string[][] = [];
    private readonly silentNow = new Set<string>();
    private readonly loops: Promise<void>[];
    private stopped = false;

    public constructor(probes: Map<string, () => Promise<unknown>>) {
        this.loops = [...probes].map(([name, probe]) => this.watch(name, probe));
    }

    public async stop(): Promise<void> {
        this.stopped = true;
        await Promise.all(this.loops);
    }

    private async watch(name: string, probe: () => Promise<unknown>): Promise<void> {
        while (!this.stopped) {
            try {
                await probe();
                this.silentNow.delete(name);
            } catch {
                this.silent.add(name);
                this.silentNow.add(name);
                if (this.silentNow.size > 1) this.together.push([...this.silentNow]);
            }
            await sleep(pauseMs);
        }
    }
}

/** Throws unless something accepts connections there. */
export function assertListening(endpoint: string): Promise<void> {
    const [host, port] = endpoint.split(":");
    return new Promise((fulfil, reject) => {
        const socket = connect({ host, port: Number(port), timeout: answerTimeoutMs });
        socket.once("connect", () => {
            socket.destroy();
            fulfil();
        });
        socket.once("timeout", () => socket.destroy(new Error(`${endpoint} does not answer`)));
        socket.once("error", reject);
    });
}

/** Throws unless a URL answers with success. */
export async function assertAnswers(url: string): Promise<void> {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerTimeoutMs) });
    await response.arrayBuffer();
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
}
