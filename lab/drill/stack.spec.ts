import { expect } from "chai";
import { assertInLab, parseStackOutputs } from "./stack";

const outputs = {
    endpoints: { readWrite: ["10.0.0.1:5433"], readOnly: ["10.0.0.1:5434"], pooled: ["10.0.0.1:6432"] },
    nodes: { db1: { address: "10.0.0.1", patroniApi: "https://10.0.0.1:8008", postgres: "10.0.0.1:5432" } },
    operations: { hosts: { db1: { address: "10.0.0.1" } }, etcd: [{ host: "db1" }] },
    caCertificate: "-----BEGIN CERTIFICATE-----",
    applications: { shop: { database: "shop", owner: "shop_owner", password: "secret", urls: {} } },
};

describe("parseStackOutputs", () => {
    it("logs in as the owner of the first application", () => {
        const { login } = parseStackOutputs(outputs);
        expect(login).to.deep.equal({ user: "shop_owner", password: "secret", database: "shop" });
    });

    it("names the output that is missing", () => {
        expect(() => parseStackOutputs({ ...outputs, endpoints: { readWrite: [] } })).to.throw("endpoints.pooled");
    });

    it("asks for an application", () => {
        expect(() => parseStackOutputs({ ...outputs, applications: {} })).to.throw("no application database");
    });
});

describe("assertInLab", () => {
    const stack = parseStackOutputs(outputs);

    it("accepts a cluster on the lab's hosts", () => {
        expect(() => assertInLab(stack, new Map([["db1", "10.0.0.1"]]))).not.to.throw();
    });

    it("refuses a node that is no host of the lab", () => {
        expect(() => assertInLab(stack, new Map([["db1", "10.0.0.9"]]))).to.throw("db1");
    });

    it("refuses an endpoint outside the lab", () => {
        const elsewhere = { ...stack, endpoints: { ...stack.endpoints, pooled: ["192.0.2.1:6432"] as [string] } };
        expect(() => assertInLab(elsewhere, new Map([["db1", "10.0.0.1"]]))).to.throw("192.0.2.1:6432");
    });
});
