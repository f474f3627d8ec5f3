import { expect } from "chai";
import { PulumiStack, repositoryProgram, Run } from "./pulumiStack";
import { settingsWith } from "./settings";

const cases: { name: string; changes: { [path: string]: unknown }; told: RegExp[] }[] = [
    {
        name: "settings that are misspelt or of the wrong kind",
        changes: {
            "patroni.ttl": 30,
            "swarm.publishMode": "somehow",
            "hosts.docker-infra-1.memoryMiB": "lots",
            "haproxy.ports.readWrite": "5433",
        },
        told: [
            /pulumi-postgres-ha:patroni: .*"ttl"/,
            /pulumi-postgres-ha:swarm\.publishMode: /,
            /pulumi-postgres-ha:hosts\.docker-infra-1\.memoryMiB: /,
            /pulumi-postgres-ha:haproxy\.ports\.readWrite: /,
        ],
    },
    {
        name: "a cluster that can't be",
        changes: {
            "swarm.manager": "elsewhere",
            "network.subnet": "10.0.20.0/33",
            "patroni.ttlSeconds": 20,
            "patroni.synchronousNodeCount": 3,
            "haproxy.ports": { readWrite: 5432 },
            "etcd.members": { a: { host: "docker-infra-1" }, b: { host: "docker-infra-2" } },
        },
        told: [
            /6 problems/,
            /swarm\.manager: "elsewhere" was given/,
            /network\.subnet: "10\.0\.20\.0\/33" was given/,
            /patroni\.ttlSeconds: /,
            /patroni\.synchronousNodeCount: 3 was given/,
            /haproxy\.ports\.readWrite: port 5432 is given for/,
            /etcd\.members: 2 members were given/,
        ],
    },
];

for (const { name, changes, told } of cases) {
    describe(`A preview of ${name}`, () => {
        let stack: PulumiStack;
        let preview: Run;

        before(async () => {
            stack = await PulumiStack.create(repositoryProgram(settingsWith(changes)));
            preview = await stack.preview();
        });

        after(() => {
            stack.remove();
        });

        it("fails", () => {
            expect(preview.status, preview.text).not.to.equal(0);
        });

        it("names every problem by its path, each once", () => {
            const [, diagnostics = ""] = preview.text.split("Diagnostics:");
            for (const problem of told) {
                expect(diagnostics.match(new RegExp(problem, "g")) ?? [], problem.source).to.have.length(1);
            }
        });

        it("shows no stack trace", () => {
            expect(preview.text).not.to.match(/^\s+at .*:\d+/m);
            expect(preview.text).not.to.include("node_modules");
        });

        it("creates nothing", async () => {
            expect(await stack.resources()).to.deep.equal([]);
            expect(stack.sshCalls()).to.deep.equal([]);
        });
    });
}
