import { expect } from "chai";
import { readCluster } from "./helpers/cluster";
import { attempt, run } from "./helpers/command";
import { cutOff } from "./helpers/isolation";
import { up } from "./helpers/pulumi";
import { inSeconds, note } from "./helpers/wait";

const maximumPreviewSeconds = 8;
const previewRuns = 5;
const unchanged = ["--expect-no-changes"];

describe("an unchanged program", () => {
    it("a second pulumi up changes nothing", async function () {
        const { seconds } = await up({ options: unchanged });
        note(this, inSeconds(seconds));
    });

    it("nor does pulumi up --refresh", async function () {
        const { seconds } = await up({ options: [...unchanged, "--refresh"] });
        note(this, inSeconds(seconds));
    });

    it(`pulumi preview without a way to any host works, within ${maximumPreviewSeconds} s`, async function () {
        const { nodes } = await readCluster();
        const probes = Object.values(nodes).map(
            ({ address }) => `! timeout 1 bash -c 'exec 3<>/dev/tcp/${address}/22'`,
        );
        const probe = await attempt(...cutOff("bash", "-c", probes.join(" && ")));
        expect(probe.status, `no host is in reach:\n${probe.output}`).to.equal(0);

        const env = { ...process.env, SSH_AUTH_SOCK: undefined };
        const preview = ["pulumi", "preview", "--stack", "lab", "--non-interactive", ...unchanged];
        // The lab's hosts share this machine, and are at work: the fastest run says what the program needs.
        let seconds = Infinity;
        for (let runs = 0; seconds > maximumPreviewSeconds && runs < previewRuns; runs++) {
            seconds = Math.min(seconds, (await run(...cutOff(...preview), { env })).seconds);
        }
        note(this, inSeconds(seconds));
        expect(seconds).to.be.at.most(maximumPreviewSeconds);
    });
});
