import { expect } from "chai";
import { LivingStack } from "./livingStack";
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

describe("A preview of another address range for the networks of plain Docker hosts", () => {
    const [old, other] = ["172.19.0.0/24", "172.20.0.0/24"];
    const settings = (dockerHosts: object): string => dockerHostsSettings({ dockerHosts });
    const refusal =
        /outage: dockerHosts\.subnet would become 172\.20\.0\.0\/24, .* give previousSubnet: "172\.19\.0\.0\/24"/;
    let living: LivingStack;

    before(async () => {
        living = await LivingStack.create(settings({ subnet: old }));
        const { status, text } = await living.up(settings({ subnet: old }));
        expect(status, text).to.equal(0);
    });

    after(() => {
        living.stack.remove();
    });

    it("refuses it, and says what consent is", async () => {
        const { status, text } = await living.preview(settings({ subnet: other }));
        expect(status, text).not.to.equal(0);
        expect(text).to.match(refusal);
        const automatic = await living.preview(settings({ previousSubnet: other }));
        expect(automatic.status, automatic.text).not.to.equal(0);
        expect(automatic.text).to.include("dockerHosts.subnet would become automatic");
    });

    it("refuses it in an up without a preview, too, before a network or container changes", async () => {
        const { status, text, journal } = await living.up(settings({ subnet: other }));
        expect(status, text).not.to.equal(0);
        expect(text).to.match(refusal);
        expect(journal.filter((entry) => /-network$|pg-(etcd|patroni|haproxy|pgbouncer)/.test(entry))).to.deep.equal(
            [],
        );
    });

    it("warns of the outage where the settings consent to it", async () => {
        const { status, text } = await living.preview(settings({ subnet: other, previousSubnet: old }));
        expect(status, text).to.equal(0);
        expect(text).to.match(
            /warning: outage: all containers stop at once .* with 172\.20\.0\.0\/24 in place of 172\.19/,
        );
    });

    it("says nothing of a consent that is left in the settings", async () => {
        const { status, text } = await living.preview(settings({ subnet: old, previousSubnet: "automatic" }));
        expect(status, text).to.equal(0);
        expect(text).not.to.match(/outage|warning:/);
    });
});
