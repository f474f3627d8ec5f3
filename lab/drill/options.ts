import { parseArgs } from "node:util";
import { changes, type Change } from "./changes";
import { scenarios, type Scenario } from "./scenarios";

/** The planned change that is tried where none is named: the others need minutes each. */
const quickChange = "switchover";

/** A list of names, in lines that fit a terminal. */
function names(all: { name: string }[]): string {
    const list = all.map(({ name }) => name).join(", ");
    return list.replaceAll(/(.{60,80}?,) /g, `$1\n${" ".repeat(21)}`);
}

const repeated = changes.filter(({ repeats }) => repeats !== undefined);

export const usage = `Usage: make drill [ARGS="..."], or tsx lab/drill/main.ts [options]

Breaks or changes the lab's cluster while clients write and read from outside, and checks every acknowledged row.

  --scenario NAME  only this one (repeatable). Faults of the leader: ${names(scenarios)}.
                   Planned changes: ${names(changes.filter(({ oneWay }) => !oneWay))}
                   One way, after which the stack is made anew: ${names(changes.filter(({ oneWay }) => oneWay))}
                   (default: all faults, and ${quickChange})
  --planned        all planned changes and no fault
  --rounds N       rounds of each scenario, 1 to 20 (default 1); with --planned
                   ${repeated.map(({ name, repeats }) => `${repeats} times as many of ${name}`).join(", ")}
  --clients N      clients per path, 1 to 16 (default 4 for faults, 10 for planned changes)
  --rate N         transactions per second and client, 1 to 100 (default 25)
  --stack NAME     Pulumi stack of the lab (default lab)
  --json           print JSON instead of the table
  --record FILE    put the results into the generated section of this Markdown file
  --help           print this

Exit status: 0 every verdict is ok, 1 otherwise, 2 wrong usage, 130 interrupted.
`;

export class UsageError extends Error {}

export interface Options {
    scenarios: Scenario[];
    changes: Change[];
    planned: boolean;
    rounds: number;
    /** Undefined where each half has its own number. */
    clients: number | undefined;
    rate: number;
    stack: string;
    json: boolean;
    record: string | undefined;
    help: boolean;
}

export function parseOptions(args: string[]): Options {
    const values = parse(args);
    return {
        ...selectScenarios(values.scenario, values.planned),
        planned: values.planned,
        rounds: parseCount("rounds", values.rounds, 20),
        clients: values.clients === undefined ? undefined : parseCount("clients", values.clients, 16),
        rate: parseCount("rate", values.rate, 100),
        stack: values.stack,
        json: values.json,
        record: values.record,
        help: values.help,
    };
}

/** How often a planned change is made. */
export function roundsOf({ planned, rounds }: Pick<Options, "planned" | "rounds">, { repeats = 1 }: Change): number {
    return planned ? rounds * repeats : rounds;
}

function parse(args: string[]) {
    try {
        return parseArgs({
            args,
            options: {
                scenario: { type: "string", multiple: true, default: [] },
                planned: { type: "boolean", default: false },
                rounds: { type: "string", default: "1" },
                clients: { type: "string" },
                rate: { type: "string", default: "25" },
                stack: { type: "string", default: "lab" },
                json: { type: "boolean", default: false },
                record: { type: "string" },
                help: { type: "boolean", default: false },
            },
        }).values;
    } catch (error) {
        throw new UsageError((error as Error).message);
    }
}

function selectScenarios(wanted: string[], planned: boolean): Pick<Options, "scenarios" | "changes"> {
    const unknown = wanted.filter((name) => ![...scenarios, ...changes].some((known) => known.name === name));
    if (unknown.length > 0) {
        throw new UsageError(`unknown scenario: ${unknown.join(", ")}`);
    }
    if (planned && wanted.length > 0) {
        throw new UsageError("--planned and --scenario can't be given together");
    }
    if (planned) {
        return { scenarios: [], changes };
    }
    const names = wanted.length > 0 ? wanted : [...scenarios.map(({ name }) => name), quickChange];
    return {
        scenarios: scenarios.filter(({ name }) => names.includes(name)),
        changes: changes.filter(({ name }) => names.includes(name)),
    };
}

function parseCount(option: string, text: string, maximum: number): number {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > maximum) {
        throw new UsageError(`--${option} is "${text}": a whole number from 1 to ${maximum} is needed`);
    }
    return value;
}
