/**
 * A Pulumi plugin that takes every resource and makes none: with it a real engine walks through real updates without a host.
 * It notes each operation as a line in the file $FAKE_JOURNAL, and fails those on the resources in $FAKE_FAILURES.
 */
import { main, Provider } from "@pulumi/pulumi/provider";
import { appendFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";

interface Properties {
    [name: string]: unknown;
}

/** Types of which Docker can change nothing. */
const immutable = ["docker:index/secret:Secret", "docker:index/serviceConfig:ServiceConfig"];

const failing = (process.env.FAKE_FAILURES ?? "").split(",");

async function perform(operation: string, urn: string): Promise<void> {
    const name = urn.split("::").at(-1) ?? "";
    appendFileSync(process.env.FAKE_JOURNAL ?? "", `begin ${operation} ${name}\n`);
    // Time for whatever runs beside it to begin.
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (failing.includes(name)) {
        throw new Error(`${operation} of ${name} fails as this test wants`);
    }
    appendFileSync(process.env.FAKE_JOURNAL ?? "", `end ${operation} ${name}\n`);
}

const provider: Provider = {
    version: process.env.FAKE_VERSION ?? "",
    check: (_urn, _olds, news: Properties) => Promise.resolve({ inputs: news }),
    diff: (_id, urn, olds: Properties, news: Properties) => {
        const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
        const changed = names.filter((name) => !isDeepStrictEqual(olds[name], news[name]));
        const replaces = immutable.some((type) => urn.includes(`$${type}::`)) ? changed : [];
        return Promise.resolve({ changes: changed.length > 0, replaces });
    },
    create: async (urn, inputs: Properties) => {
        await perform("create", urn);
        return { id: `${urn.split("::").at(-1)}-id`, outs: inputs };
    },
    update: async (_id, urn, _olds, news: Properties) => {
        await perform("update", urn);
        return { outs: news };
    },
    delete: (_id, urn) => perform("delete", urn),
    invoke: () => Promise.resolve({ outputs: { stdout: "mark" } }),
};

void main(provider, process.argv.slice(2));
