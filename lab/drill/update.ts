import type { Settings } from "../../settings";
import { destroy, up } from "../../test/lab/helpers/pulumi";
import { editSettings } from "../../test/lab/helpers/settings";
import type { Change } from "./changes";
import { type Drill, readLeader, waitForHealth } from "./round";
import { run } from "./run";
import { readLabStack, readStack, type Stack } from "./stack";
import { errorText } from "./wait";

const switchoverTimeoutMs = 120_000;

/** Carries a change out, and takes it back where that can be; gives the stack as it was in between. */
export async function carryOut(drill: Drill, { edit, oneWay }: Change, spareHosts: Settings["hosts"]): Promise<Stack> {
    if (edit === undefined) {
        const command = 'source lab/env.sh && npx tsx cli/main.ts switchover --yes --stack "$1"';
        await run("bash", ["-euc", command, "drill", drill.stackName], switchoverTimeoutMs);
        return drill.stack;
    }
    const configFile = editSettings((settings) => {
        Object.assign(settings.hosts, spareHosts);
        edit(settings);
    });
    if (oneWay) {
        await up({ configFile });
        // Not read anew: what the clients knew before has to stay good.
        return drill.stack;
    }
    return thereAndBack(drill, configFile);
}

async function thereAndBack(drill: Drill, configFile: string): Promise<Stack> {
    try {
        await up({ configFile });
        const between = await readStack(drill.stackName);
        await waitForHealth(drill, "cluster healthy with the change", between.nodes);
        drill.log(`it is done (${await readLeader(between)} leads), and is put back`);
        await up();
        return between;
    } catch (error) {
        drill.log(`failed, and is put back: ${errorText(error)}`);
        await up().catch((upError: unknown) => drill.log(errorText(upError)));
        throw error;
    }
}

/** The way back from a change that a living stack can't take back. Passwords and authorities are other ones after it. */
export async function startAnew(drill: Drill): Promise<void> {
    drill.log("the stack is destroyed, and brought up again on the same data");
    await destroy();
    await up();
    drill.stack = await readLabStack(drill.stackName);
    await waitForHealth(drill, "cluster healthy on the same data");
}
