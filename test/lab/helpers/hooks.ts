import { readCluster, waitForHealth } from "./cluster";
import { run } from "./command";

const bringUpTimeoutMs = 30 * 60_000;

/** Runs before all tests: a cluster that is up, from whatever is there, and the environment in which `pulumi` reaches it. */
export const mochaHooks = {
    async beforeAll(this: Mocha.Context): Promise<void> {
        this.timeout(bringUpTimeoutMs);
        process.stdout.write("  bringing the lab's cluster up\n");
        const { seconds } = await run("lab/cluster-up.sh", [], { timeoutSeconds: bringUpTimeoutMs / 1000 });
        process.stdout.write(`  the cluster is up (${seconds.toFixed(1)} s)\n`);
        const { stdout } = await run("bash", ["-euc", "source lab/env.sh && env -0"]);
        for (const entry of stdout.split("\0").filter((text) => text !== "")) {
            const separator = entry.indexOf("=");
            process.env[entry.slice(0, separator)] = entry.slice(separator + 1);
        }
        await waitForHealth(await readCluster());
    },
};
