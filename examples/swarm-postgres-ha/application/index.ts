import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { ClusterReference, createDockerProvider, HostArgs } from "pulumi-postgres-ha";

const config = new pulumi.Config();
const hosts = config.requireObject<{ [key: string]: HostArgs }>("hosts");
const provider = createDockerProvider("swarm", hosts, config.require("manager"));
const opts = { provider };

const databases = new ClusterReference(config.require("databases"));
const url = databases.application("homeassistant").apply(({ owner }) => owner.networkUrls.direct);

const secret = new docker.Secret("database-url", { data: url.apply((text) => btoa(text)) }, opts);
const script = new docker.ServiceConfig("recorder", { dataRaw: readFileSync("recorder.py", "utf8") }, opts);

new docker.Service(
    "recorder",
    {
        taskSpec: {
            containerSpec: {
                image: config.require("image"),
                commands: ["/opt/patroni/bin/python", "/recorder.py"],
                configs: [{ configId: script.id, configName: script.name, fileName: "/recorder.py" }],
                secrets: [{ secretId: secret.id, secretName: secret.name, fileName: "/run/secrets/database-url" }],
            },
            networksAdvanceds: [{ id: databases.networkId }],
        },
        endpointSpec: { mode: "dnsrr" },
    },
    opts,
);
