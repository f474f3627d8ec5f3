import { attempt, run } from "../../lab/helpers/command";
import { destroy } from "../../lab/helpers/pulumi";

const prepareTimeoutMs = 30 * 60_000;

/** Runs before and after all tests: images and the environment in which `pulumi` reaches the lab, without the lab's own cluster. */
export const mochaHooks = {
    async beforeAll(this: Mocha.Context): Promise<void> {
        this.timeout(prepareTimeoutMs);
        const prepare = "make --no-print-directory toolchain images && lab/stack-config.sh";
        await run("bash", ["-euc", prepare], { timeoutSeconds: prepareTimeoutMs / 1000 });
        const { stdout } = await run("bash", ["-euc", "source lab/env.sh && env -0"]);
        for (const entry of stdout.split("\0").filter((text) => text !== "")) {
            const separator = entry.indexOf("=");
            process.env[entry.slice(0, separator)] = entry.slice(separator + 1);
        }
        // The examples take the same ports.
        if ((await attempt("pulumi", ["stack", "--stack", "lab"])).status === 0) await destroy();
    },

    async afterAll(this: Mocha.Context): Promise<void> {
        this.timeout(prepareTimeoutMs);
        await run("lab/up.sh", [], { timeoutSeconds: prepareTimeoutMs / 1000 });
    },
};
