import { expect } from "chai";
import { PulumiStack, repositoryProgram, Run } from "./pulumiStack";
import { settingsWith } from "./settings";

/** The longest that a preview may take, in seconds. */
const longestPreview = 8;
const previewAttempts = 3;

describe("A preview of the production stack, with hosts that nobody can reach", () => {
    let stack: PulumiStack;
    let preview: Run;

    before(async () => {
        stack = await PulumiStack.create(repositoryProgram(settingsWith()));
        preview = await stack.preview("--diff");
    });

    after(() => {
        stack.remove();
    });

    it("works", () => {
        expect(preview.status, preview.text).to.equal(0);
        expect(preview.text).to.match(/\+ \d+ to create/);
    });

    it("warns of nothing", () => {
        expect(preview.text).not.to.match(/warning:|error:|Diagnostics/i);
    });

    it("reaches for no host and creates nothing", async () => {
        expect(stack.sshCalls()).to.deep.equal([]);
        expect(await stack.resources()).to.deep.equal([]);
    });

    it("shows what will be there", () => {
        for (const line of [
            /pgha:index:PostgresCluster: \(create\)/,
            /docker:index\/service:Service: \(create\)/,
            /readWrite *: \[/,
            /maxReplicas *: 1/,
        ]) {
            expect(preview.text).to.match(line);
        }
    });

    it("shows no password, no verifier, and no script but the one of PostgreSQL's parameters", () => {
        expect(preview.text).not.to.match(/SCRAM-SHA-256|PASSWORD '|throw-away/);
        const values = [...preview.text.matchAll(/^ *(?:stdin|data|connection) *: (.*)$/gm)].map(([, value]) => value);
        expect(values).to.have.length.above(50);
        expect(values.filter((value) => !/^\[(secret|unknown)\]$/.test(value ?? ""))).to.have.length(1);
    });

    it(`takes at most ${longestPreview} seconds on a machine that has not compiled the program yet`, async () => {
        const took: string[] = [];
        let shortest = Infinity;
        // Neighbours on a busy machine make a preview longer, never shorter.
        while (shortest > longestPreview && took.length < previewAttempts) {
            stack.clearCaches();
            const { status, text, seconds, processorSeconds } = await stack.preview();
            expect(status, text).to.equal(0);
            took.push(`${seconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} s of them at work`);
            console.log(`      ${took.at(-1)}`);
            // The time that passes says nothing about the program then; its own work counts.
            shortest = Math.min(shortest, seconds, processorSeconds);
        }
        expect(shortest, took.join("; ")).to.be.at.most(longestPreview);
    });
});
