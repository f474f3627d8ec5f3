import * as pulumi from "@pulumi/pulumi";
import {
    createDockerProvider,
    EndpointMode,
    EtcdQuorum,
    Host,
    HostArgs,
    PublishMode,
    SwarmTarget,
} from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hostArgs = config.requireObject<{ [key: string]: HostArgs }>("hosts");
const managerKey = config.require("manager");
const manager = { key: managerKey, ...hostArgs[managerKey] };

const provider = createDockerProvider("swarm", hostArgs, managerKey);
const hosts = Object.fromEntries(
    Object.entries(hostArgs).map(([key, host]) => [key, new Host(`host-${key}`, { ...host, key, manager })]),
);

const target: SwarmTarget = {
    clusterName: "coordination",
    manager: hosts[managerKey],
    publishMode: PublishMode.Host,
    endpointMode: EndpointMode.DnsRoundRobin,
    labels: {},
};

const quorum = new EtcdQuorum(
    "etcd",
    {
        target,
        hosts,
        members: Object.fromEntries(Object.keys(hostArgs).map((key) => [key, { host: key }])),
        image: config.require("image"),
    },
    { providers: [provider] },
);

/** Client URLs; they are there when the quorum is healthy. */
export const endpoints = quorum.endpoints;
