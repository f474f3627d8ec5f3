import { createInterface } from "node:readline/promises";
import { CommandFailure, ExitStatus } from "./failure";

/** Where a command reads and writes. */
export interface Terminal {
    input: NodeJS.ReadStream;
    output: NodeJS.WriteStream;
    /** Progress and questions: the output may go into a file. */
    messages: NodeJS.WriteStream;
}

/** Asks before something that can't be taken back; without a terminal to ask on, `--yes` has to be given. */
export async function confirm(question: string, yes: boolean, { input, messages }: Terminal): Promise<void> {
    if (yes) {
        return;
    }
    if (!input.isTTY) {
        throw new CommandFailure("this needs a confirmation", "run it on a terminal, or with --yes", ExitStatus.Usage);
    }
    const reader = createInterface({ input, output: messages });
    try {
        const answer = await reader.question(`${question} [y/N] `);
        if (!/^y(es)?$/i.test(answer.trim())) {
            throw new CommandFailure("not confirmed; nothing was changed", "answer y to go on");
        }
    } finally {
        reader.close();
    }
}
