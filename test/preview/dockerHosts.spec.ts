import { expect } from "chai";
import { PulumiStack, repositoryProgram, Run } from "./pulumiStack";
import { settingsWith } from "./settings";

/** The production stack on plain Docker hosts: the same hosts without what only a Swarm's nodes have. */
function dockerHostsSettings(changes: { [path: string]: unknown } = {}): string {
    const hosts = Object.fromEntries(
        [1, 2, 3].map((n) => [`db${n}`, { address: `192.0.2.4${n}`, memoryMiB: 16384, ssh: { hostKey } }]),
    );
    return settingsWith({
        swarm: undefined,
        network: undefined,
        haproxy: undefined,
        pgbouncer: undefined,
        hosts,
        dockerHosts: {},
        ...changes,
    });
}

const hostKey = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"A".repeat(43)}`;

describe("A preview of plain Docker hosts that nobody can reach", () => {
    let stack: PulumiStack;
    let preview: Run;

    before(async () => {
        stack = await PulumiStack.create(repositoryProgram(dockerHostsSettings()));
        preview = await stack.preview("--diff");
    });

    after(() => {
        stack.remove();
    });

    it("works, and warns of nothing", () => {
        expect(preview.status, preview.text).to.equal(0);
        expect(preview.text).not.to.match(/warning:|error:|Diagnostics/i);
    });

    it("reaches for no host and creates nothing", async () => {
        expect(stack.sshCalls()).to.deep.equal([]);
        expect(await stack.resources()).to.deep.equal([]);
    });

    it("shows containers, the files that they get, and no secret", () => {
        expect(preview.text).to.match(/docker:index\/container:Container: \(create\)/);
        expect(preview.text).not.to.match(/docker:index\/service:Service/);
        expect(preview.text).to.match(/"\/srv\/pgha\/pg\/\.files\/haproxy\/config-[0-9a-f]{10}"/);
        expect(preview.text).not.to.match(/SCRAM-SHA-256|PASSWORD '|throw-away/);
    });

    it("refuses a setting of the Swarm", async () => {
        stack.writeSettings(dockerHostsSettings({ network: { enableEncryption: false } }));
        const { status, text } = await stack.preview();
        expect(status).not.to.equal(0);
        expect(text).to.include("only dockerHosts.subnet is allowed");
    });
});
