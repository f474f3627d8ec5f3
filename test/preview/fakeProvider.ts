/**
 * A Pulumi plugin that takes every resource and makes none: with it a real engine walks through real updates without a host.
 * It notes each operation as a line in the file $FAKE_JOURNAL, and fails those on the resources in $FAKE_FAILURES. As Docker does it lets a
 * Swarm have one secret or config of a name at a time; those that there are lie in the directory $FAKE_OBJECTS.
 */
import { main, Provider } from "@pulumi/pulumi/provider";
import { randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

interface Properties {
    [name: string]: unknown;
}

/** Types of which Docker can change nothing. */
const immutable = ["docker:index/secret:Secret", "docker:index/serviceConfig:ServiceConfig"];

const isImmutable = (urn: string): boolean => immutable.some((type) => urn.includes(`$${type}::`));

const objects = process.env.FAKE_OBJECTS ?? "";

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
    // As the real provider does it, which names anew what is replaced: the engine then tells it nothing of what was.
    check: (urn, olds: Properties, news: Properties) => {
        const name = olds.name ?? `${urn.split("::").at(-1)}-${randomBytes(4).toString("hex").slice(0, 7)}`;
        return Promise.resolve({ inputs: isImmutable(urn) ? { name, ...news } : news });
    },
    diff: (_id, urn, olds: Properties, news: Properties) => {
        const names = [...new Set([...Object.keys(olds), ...Object.keys(news)])];
        const changed = names.filter((name) => !isDeepStrictEqual(olds[name], news[name]));
        const replaces = isImmutable(urn) ? changed : [];
        return Promise.resolve({ changes: changed.length > 0, replaces });
    },
    create: async (urn, inputs: Properties) => {
        await perform("create", urn);
        if (isImmutable(urn)) {
            mkdirSync(objects, { recursive: true });
            writeFileSync(join(objects, String(inputs.name)), "", { flag: "wx" });
        }
        return { id: `${urn.split("::").at(-1)}-id`, outs: inputs };
    },
    update: async (_id, urn, _olds, news: Properties) => {
        await perform("update", urn);
        return { outs: news };
    },
    delete: async (_id, urn, { name }: Properties) => {
        await perform("delete", urn);
        if (isImmutable(urn)) rmSync(join(objects, String(name)));
    },
    invoke: () => Promise.resolve({ outputs: { stdout: "mark" } }),
};

void main(provider, process.argv.slice(2));
