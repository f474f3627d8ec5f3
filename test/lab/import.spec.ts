import { expect } from "chai";
import { Example } from "./helpers/example";
import { onHost } from "./helpers/hosts";
import { destroy, up } from "./helpers/pulumi";
import { readSettings } from "./helpers/settings";
import { parseUrl, query, refusal, value } from "./helpers/sql";
import { inSeconds, note } from "./helpers/wait";

const timeoutMs = 600_000;

/** The example's cluster takes the ports of the lab's own, which therefore goes for that time. */
describe("a second program that imports the package", () => {
    const example = new Example("import-into-stack");
    let hosts: string[];

    before(async function () {
        this.timeout(timeoutMs);
        const { images, network, swarm, ...others } = readSettings();
        hosts = Object.keys(others.hosts);
        await destroy();
        await example.install({
            hosts: others.hosts,
            images,
            manager: swarm?.manager ?? "",
            enableEncryption: network?.enableEncryption,
        });
    });

    after(async function () {
        this.timeout(timeoutMs);
        await example.remove();
        // This cluster was made for the test only, so its data goes, too.
        await Promise.all(hosts.map((host) => onHost(host, ["rm", "-rf", "/srv/pgha/orders-db"])));
        await up();
    });

    it("brings a whole cluster up", async function () {
        note(this, inSeconds(await example.up()));
    });

    it("its application reads and writes, and its reporting role only reads", async () => {
        const outputs = (await example.outputs()) as {
            urls: { direct: string; pooled: string };
            reporting: { urls: { direct: string } };
        };
        const owner = parseUrl(outputs.urls.direct);
        await query(owner.endpoints[0] ?? "", owner.login, "CREATE TABLE orders (n int)");
        const pooled = parseUrl(outputs.urls.pooled);
        await query(pooled.endpoints[0] ?? "", pooled.login, "INSERT INTO orders VALUES (1)");
        const reporting = parseUrl(outputs.reporting.urls.direct);
        const endpoint = reporting.endpoints[0] ?? "";
        expect(await value(endpoint, reporting.login, "SELECT n FROM orders")).to.equal(1);
        expect(await refusal(endpoint, reporting.login, "DELETE FROM orders")).to.match(/^42501 /);
    });

    it("a second up changes nothing", () => example.upChangesNothing());
});
