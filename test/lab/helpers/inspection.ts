import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "./cluster";
import { scriptOnHost } from "./hosts";
import { Source } from "./leaks";

/** What anybody with access to a host's Docker engine can read of it. */
const hostQueries = {
    "docker inspect of all containers": "docker ps --all --quiet | xargs docker inspect",
    "docker image inspect of all images": "docker images --all --quiet | sort -u | xargs docker image inspect",
    "docker logs of all containers": 'for id in $(docker ps --all --quiet); do docker logs "$id" 2>&1; done',
    "log of the Docker engine": "cat /var/log/dockerd.log",
};

/** What every Swarm manager answers alike. */
const swarmQueries = {
    "docker service inspect of all services": "docker service ls --quiet | xargs docker service inspect",
    "docker secret inspect of all secrets": "docker secret ls --quiet | xargs docker secret inspect",
    "docker config inspect of all configs": "docker config ls --quiet | xargs docker config inspect",
    "docker network inspect of all networks": "docker network ls --quiet | xargs docker network inspect",
    "docker node inspect of all nodes": "docker node ls --quiet | xargs docker node inspect",
};

/** Texts that a hundred bytes or fewer make up were not really asked for. */
const shortestAnswer = 100;

/** Reads what the hosts' engines, the Swarm and the cluster's own HTTP interfaces show. */
export async function inspectCluster(cluster: Cluster): Promise<Source[]> {
    const hosts = Object.keys(cluster.nodes);
    const [manager = ""] = hosts;
    const asked = [
        ...hosts.flatMap((host) => ask(host, hostQueries)),
        ...ask(manager, swarmQueries),
        ...Object.values(cluster.nodes).flatMap(({ patroniApi }) =>
            ["/config", "/cluster", "/patroni", "/metrics"].map((path) => fetchText(patroniApi + path)),
        ),
        ...cluster.endpoints.metrics.map((endpoint) => fetchText(`https://${endpoint}/metrics`)),
    ];
    return Promise.all(asked);
}

function ask(host: string, queries: { [name: string]: string }): Promise<Source>[] {
    return Object.entries(queries).map(async ([name, script]) => {
        const text = await scriptOnHost(host, `set -o pipefail; ${script}`);
        if (text.length < shortestAnswer) throw new Error(`${name} on ${host} gave next to nothing: ${text}`);
        return { name: `${name} on ${host}`, text };
    });
}

async function fetchText(url: string): Promise<Source> {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return { name: url, text: await response.text() };
}

/** Where Pulumi keeps states, histories and backups. */
export function backendDirectory(): string {
    const directory = process.env.PULUMI_BACKEND_URL?.replace("file://", "");
    if (directory === undefined) throw new Error("PULUMI_BACKEND_URL is not set; does lab/env.sh set it?");
    return directory;
}

/** Reads all files of Pulumi's backend. */
export function readBackend(): Source[] {
    return readdirSync(backendDirectory(), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .map((file) => ({ name: file, text: readFileSync(file, "utf8") }));
}
