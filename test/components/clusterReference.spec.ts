import * as pulumi from "@pulumi/pulumi";
import { expect } from "chai";
import { ClusterReference, ReferencedApplication } from "../../components";
import { record } from "../helpers/mocks";

const readerUrls = { direct: "reader direct", readOnly: "reader readOnly", pooled: "reader pooled" };
const urls = { direct: "owner direct", readOnly: "owner readOnly", pooled: "owner pooled" };
const stackOutputs = {
    endpoints: { readWrite: ["192.0.2.11:15433"] },
    networkId: "network-id",
    applications: {
        shop: {
            database: "Shop of ours",
            owner: "shop",
            password: "owner's",
            urls,
            roles: { reader: { username: "reader", password: "reader's", urls: readerUrls } },
            replicationRoles: { consumer: { username: "consumer", password: "consumer's", url: "consumer direct" } },
        },
    },
};

/** An output's value, and whether it is secret. */
async function resolve<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
    const inner = output as unknown as { promise(): Promise<T>; isSecret: Promise<boolean> };
    return { value: await inner.promise(), secret: await inner.isSecret };
}

describe("ClusterReference", () => {
    async function refer<T>(
        read: (reference: ClusterReference) => pulumi.Output<T>,
        applications: object = stackOutputs.applications,
    ) {
        let result: Promise<{ value: T; secret: boolean }> | undefined;
        await record(
            () => {
                result = resolve(read(new ClusterReference("organization/databases/prod")));
            },
            { stackOutputs: { ...stackOutputs, applications } },
        );
        return result as Promise<{ value: T; secret: boolean }>;
    }

    it("gives the network and the endpoints of the other stack", async () => {
        expect(await refer(({ networkId }) => networkId)).to.deep.equal({ value: "network-id", secret: false });
        const { value } = await refer(({ endpoints }) => endpoints);
        expect(value).to.deep.equal(stackOutputs.endpoints);
    });

    it("gives an application's logins as secrets, with the URLs that the other stack has", async () => {
        const { value, secret } = await refer((reference) => reference.application("shop"));
        expect(secret).to.equal(true);
        expect(value.database).to.equal("Shop of ours");
        expect(value.owner).to.include({ username: "shop", password: "owner's" });
        expect(value.owner.urls).to.deep.equal(urls);
        expect(value.roles.reader?.urls).to.deep.equal(readerUrls);
    });

    it("adds URLs with the names and ports inside the cluster's network", async () => {
        const { value } = await refer((reference) => reference.application("shop"));
        const login = "shop:owner's@";
        const database = "/Shop%20of%20ours?connect_timeout=3";
        expect(value.owner.networkUrls).to.deep.equal({
            direct: `postgresql://${login}pg-haproxy:5433${database}`,
            readOnly: `postgresql://${login}pg-haproxy:5434${database}`,
            pooled: `postgresql://${login}pg-pgbouncer:6432${database}`,
        });
        expect(value.roles.reader?.networkUrls.direct).to.match(/^postgresql:\/\/reader:reader's@pg-haproxy:5433\//);
        const { url, networkUrl } = value.replicationRoles.consumer ?? {};
        expect([url, networkUrl]).to.deep.equal([
            "consumer direct",
            `postgresql://consumer:consumer's@pg-haproxy:5433${database}`,
        ]);
    });

    it("knows no pooled URL where the cluster has no PgBouncer", async () => {
        const { direct, readOnly } = urls;
        const shop = { ...stackOutputs.applications.shop, urls: { direct, readOnly }, roles: {} };
        const { value } = await refer((reference) => reference.application("shop"), { shop });
        expect(value.owner.networkUrls).to.have.all.keys("direct", "readOnly");
    });

    it("names the applications that there are when another is asked for", async () => {
        let failure: Promise<ReferencedApplication> | undefined;
        await record(
            () => {
                const output = new ClusterReference("organization/databases/prod").application("stop");
                failure = (output as unknown as { promise(): Promise<ReferencedApplication> }).promise();
                // The failure is looked at below.
                failure.catch(() => undefined);
            },
            { stackOutputs },
        ).catch(() => undefined);
        const message = await failure?.then(
            () => "none",
            (error: unknown) => (error as Error).message,
        );
        expect(message).to.equal('the cluster\'s stack has no application "stop"; it has: shop');
    });
});
