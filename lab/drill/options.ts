import { parseArgs } from "node:util";
import { scenarios, type Scenario } from "./scenarios";

export const usage = `Usage: make drill [ARGS="..."], or tsx lab/drill/main.ts [options]

Breaks the leader of the lab's cluster while clients write and read from outside, and checks every acknowledged row.

  --scenario NAME  only this one (repeatable): ${scenarios.map((scenario) => scenario.name).join(", ")}
  --rounds N       rounds of each scenario, 1 to 20 (default 1)
  --clients N      clients per path, 1 to 16 (default 4)
  --rate N         transactions per second and client, 1 to 100 (default 25)
  --stack NAME     Pulumi stack of the lab (default lab)
  --json           print JSON instead of the table
  --record FILE    put the results into the generated section of this Markdown file
  --help           print this

Exit status: 0 nothing was lost and every round ended healthy, 1 otherwise, 2 wrong usage, 130 interrupted.
`;

export class UsageError extends Error {}

export interface Options {
    scenarios: Scenario[];
    rounds: number;
    clients: number;
    rate: number;
    stack: string;
    json: boolean;
    record: string | undefined;
    help: boolean;
}

export function parseOptions(args: string[]): Options {
    const values = parse(args);
    return {
        scenarios: selectScenarios(values.scenario),
        rounds: parseCount("rounds", values.rounds, 20),
        clients: parseCount("clients", values.clients, 16),
        rate: parseCount("rate", values.rate, 100),
        stack: values.stack,
        json: values.json,
        record: values.record,
        help: values.help,
    };
}

function parse(args: string[]) {
    try {
        return parseArgs({
            args,
            options: {
                scenario: { type: "string", multiple: true, default: [] },
                rounds: { type: "string", default: "1" },
                clients: { type: "string", default: "4" },
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

function selectScenarios(names: string[]): Scenario[] {
    const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
    if (unknown.length > 0) {
        throw new UsageError(`unknown scenario: ${unknown.join(", ")}`);
    }
    return names.length === 0 ? scenarios : scenarios.filter((scenario) => names.includes(scenario.name));
}

function parseCount(option: string, text: string, maximum: number): number {
    const value = Number(text);
    if (!Number.isInteger(value) || value < 1 || value > maximum) {
        throw new UsageError(`--${option} is "${text}": a whole number from 1 to ${maximum} is needed`);
    }
    return value;
}
