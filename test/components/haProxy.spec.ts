import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { EndpointMode, HaProxy, HaProxyArgs, PublishMode } from "../../components";
import { hostConnection, image, swarmTarget } from "../helpers/cluster";
import { problemPaths, record, RecordOptions, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { fileContent, portsOf, serviceInputs } from "../helpers/service";

function haProxyArgs(changes: Partial<HaProxyArgs> = {}): HaProxyArgs {
    const nodeEndpoints = ["db1", "db2"].map((key) => ({
        key,
        name: `patroni-${key}`,
        address: hostConnection(key).address,
        postgresPort: 5432,
        apiPort: 8008,
    }));
    return {
        target: swarmTarget(),
        hosts: [hostConnection("db1"), hostConnection("db2")],
        constraint: "node.labels.role==true",
        patroni: { nodeEndpoints },
        networkId: "network-id",
        statisticsPassword: pulumi.secret("statistics-word"),
        settings: {},
        image: image("haproxy"),
        ...changes,
    };
}

function recordHaProxy(changes?: Partial<HaProxyArgs>, options?: RecordOptions): Promise<Recording> {
    return record(() => new HaProxy("router", haProxyArgs(changes)), options);
}

describe("HaProxy", () => {
    it("is one service with its files, a record of its hosts, and a wait for all its containers", async () => {
        expect((await recordHaProxy()).childrenOf("router")).to.deep.equal([
            "Command router-running",
            "Secret pg-haproxy-users",
            "Service pg-haproxy",
            "ServiceConfig pg-haproxy-config",
            "Stash router-members",
        ]);
    });

    it("runs one container on each of its hosts, on the cluster's network", async () => {
        const { mode, taskSpec, endpointSpec } = serviceInputs(await recordHaProxy(), "pg-haproxy");
        expect(mode).to.deep.equal({ global: true });
        expect(taskSpec.placement).to.deep.equal({ constraints: ["node.labels.role==true"], maxReplicas: 0 });
        expect(taskSpec.networksAdvanceds).to.deep.equal([{ id: "network-id", aliases: ["pg-haproxy"] }]);
        expect(endpointSpec.mode).to.equal("dnsrr");
        expect(endpointSpec.ports.map((port) => port.publishMode)).to.deep.equal(["host", "host", "host", "host"]);
    });

    it("publishes the ports that it is given, and listens inside on its own", async () => {
        const ports = { readWrite: 7001, readOnly: 7002, any: 7003, statistics: 7004 };
        const recording = await recordHaProxy({ settings: { ports } });
        expect(portsOf(recording, "pg-haproxy")).to.deep.equal(["7001:5433", "7002:5434", "7003:5435", "7004:7000"]);
    });

    it("leads to PgBouncers on a network of their own where it has a pooled port", async () => {
        const settings = { ports: { pooled: 6432 } };
        const recording = await recordHaProxy({ settings, poolerNetworkId: "pooler-id" });
        expect(portsOf(recording, "pg-haproxy").at(-1)).to.equal("6432:6432");
        expect(serviceInputs(recording, "pg-haproxy").taskSpec.networksAdvanceds).to.deep.equal([
            { id: "network-id", aliases: ["pg-haproxy", "pg-pgbouncer"] },
            { id: "pooler-id", aliases: ["pg-haproxy"] },
        ]);
        expect(fileContent(recording, "pg-haproxy-config")).to.match(/^listen pooled\n {2}bind :6432$/m);
    });

    it("has the open files that its connections need", async () => {
        const { containerSpec } = serviceInputs(
            await recordHaProxy({ settings: { maxConnections: 10000 } }),
            "pg-haproxy",
        ).taskSpec;
        expect(containerSpec.args.join(" ")).to.match(/^sh -c ulimit -S -n 20200 .* haproxy -W -db /);
    });

    it("is led to its hosts by the library's label alone, which goes last from a host that is taken out", async () => {
        const hosts = ["db1", "db2"].map((key) => ({ ...hostConnection(key), labels: { edge: "1" } }));
        const recording = await recordHaProxy({ hosts, settings: { placementLabel: "edge" } });
        expect(serviceInputs(recording, "pg-haproxy").taskSpec.placement.constraints).to.deep.equal([
            "node.labels.role==true",
        ]);
    });

    it("carries the user's labels on the service, where they change in place, and not on containers", async () => {
        const labels = { "traefik.http.routers.pg.rule": "Host(`pg.example.com`) && PathPrefix(`/`)" };
        const without = await recordHaProxy();
        const recording = await recordHaProxy({ settings: { labels } }, { previous: without });
        const wanted = Object.entries(labels).map(([label, value]) => ({ label, value }));
        const { inputs } = recording.custom("pg-haproxy");
        expect(inputs.labels).to.deep.include.members([{ label: "pgha.cluster", value: "pg" }, ...wanted]);
        expect(inputs.taskSpec).to.deep.equal(without.custom("pg-haproxy").inputs.taskSpec);
        expect(recording.changedSince(without)).to.deep.equal(["pg-haproxy"]);
    });

    it("has a virtual address where ports go through the ingress", async () => {
        const target = swarmTarget({ publishMode: PublishMode.Ingress, endpointMode: EndpointMode.DnsRoundRobin });
        const { endpointSpec } = serviceInputs(await recordHaProxy({ target }), "pg-haproxy");
        expect(endpointSpec.mode).to.equal("vip");
        expect(endpointSpec.ports[0]?.publishMode).to.equal("ingress");
    });

    it("asks every node's REST API which it is", async () => {
        const config = fileContent(await recordHaProxy(), "pg-haproxy-config");
        expect(config).to.match(/server patroni-db1 192\.0\.2\.11:5432 .*8008/);
        expect(config).to.match(/server patroni-db2 192\.0\.2\.12:5432 .*8008/);
    });

    it("keeps the password of the statistics page in a secret", async () => {
        const recording = await recordHaProxy();
        expect(fileContent(recording, "pg-haproxy-users")).to.include("statistics-word");
        expect(fileContent(recording, "pg-haproxy-config")).not.to.include("statistics-word");
    });

    it("refuses labels that are taken, and a pooled port or a label that leads nowhere", async () => {
        const labels = { "pgha.workload": "x", team: "y", "a b": "z", note: "1\n2" };
        const settings = { labels, ports: { pooled: 6432 }, placementLabel: "edge" };
        const target = swarmTarget({ labels: { team: "data" } });
        const { error } = await recordRefusal(() => new HaProxy("router", haProxyArgs({ settings, target })));
        expect(problemPaths(error)).to.deep.equal([
            "haproxy.placementLabel",
            "haproxy.labels",
            "haproxy.labels",
            "haproxy.labels",
            'haproxy.labels["note"]',
            "haproxy.ports.pooled",
        ]);
    });

    it("refuses what can't be, and creates nothing", async () => {
        const { recording, error } = await recordRefusal(
            () => new HaProxy("router", haProxyArgs({ settings: { maxConnections: 1, ports: { any: 70000 } } })),
        );
        expect(problemPaths(error)).to.deep.equal(["haproxy.maxConnections", "haproxy.ports.any"]);
        expect(recording.names()).to.deep.equal(["router"]);
    });
});
