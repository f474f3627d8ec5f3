import { expect } from "chai";
import { createCluster, dockerHostsArgs, recordCluster } from "../helpers/cluster";
import { generatedPassword, record } from "../helpers/mocks";
import { Recording } from "../helpers/recording";
import { isSecret, readableTexts } from "../helpers/wire";

/** What nobody may read anywhere: generated passwords and keys, and what an attacker could try passwords on. */
const confidential = /Generated0|SCRAM-SHA-256\$\d|PRIVATE KEY/;

const applications = { shop: { roles: { reader: {} }, allowDrop: true } };

/** A text as it is, and as it reads when it is base64. */
function readings(text: string): string[] {
    return [text, Buffer.from(text, "base64").toString()];
}

function leaks(recording: Recording): string[] {
    const sent = [
        ...recording.resources.map(({ name, wire }) => ({ name, texts: readableTexts(wire) })),
        ...recording.outputs.map((output) => ({ name: "outputs", texts: readableTexts(output) })),
        ...recording.invocations.map(({ token, inputs }) => ({ name: token, texts: readableTexts(inputs) })),
        { name: "warnings", texts: recording.warnings },
    ];
    return sent.flatMap(({ name, texts }) =>
        texts
            .filter((text) => readings(text).some((reading) => confidential.test(reading)))
            .map((text) => `${name}: ${text}`),
    );
}

describe("Secrets", () => {
    let recording: Recording;

    before(async () => {
        recording = await recordCluster({ applications });
    });

    it("can be read nowhere in what the engine is told", () => {
        expect(leaks(recording)).to.deep.equal([]);
    });

    it("are where they have to be", () => {
        const passwords = Buffer.from(String(recording.custom("pg-patroni-db1-passwords").inputs.data), "base64");
        expect(passwords.toString()).to.include(generatedPassword("pg-credentials-replicator"));
        const pgpass = Buffer.from(String(recording.custom("pg-patroni-db1-pgpass").inputs.data), "base64");
        expect(pgpass.toString()).to.equal(`*:*:*:postgres:${generatedPassword("pg-credentials-postgres")}\n`);
        expect(recording.custom("pg-application-shop-database").inputs.stdin).to.match(/SCRAM-SHA-256\$4096:/);
    });

    it("reach no host as plain passwords in SQL", () => {
        const commands = recording.ofType("Command").filter(({ name }) => !name.endsWith("-switchover"));
        for (const command of commands) {
            expect(String(command.inputs.stdin), command.name).not.to.match(/Generated0/);
        }
    });

    it("are wrapped wherever a file or a script holds them", () => {
        for (const secret of recording.ofType("Secret")) {
            expect(isSecret(secret.wire.data), secret.name).to.equal(true);
        }
        for (const command of recording.ofType("Command")) {
            // What a preview of changed parameters is there for, and holds no secret.
            const isShown = command.name === "pg-patroni-dynamic-config";
            expect(isSecret(command.wire.stdin), command.name).to.equal(!isShown);
            expect(isSecret(command.wire.connection), command.name).to.equal(true);
        }
    });

    it("are never in a container's environment or arguments", () => {
        for (const service of recording.ofType("Service")) {
            const { containerSpec } = service.inputs.taskSpec as { containerSpec: { env: object; args: string[] } };
            expect(JSON.stringify([containerSpec.env, containerSpec.args]), service.name).not.to.match(confidential);
        }
    });

    it("are files that only the container's user may read", () => {
        const references = recording.ofType("Service").flatMap((service) => {
            const { containerSpec } = service.inputs.taskSpec as { containerSpec: { secrets: object[] } };
            return containerSpec.secrets;
        });
        expect(references).to.have.length(25);
        for (const reference of references) {
            expect(reference).to.include({ fileMode: 0o400, fileUid: "999", fileGid: "999" });
        }
    });
});

describe("Secrets on plain Docker hosts", () => {
    let recording: Recording;

    before(async () => {
        recording = await record(() => createCluster(dockerHostsArgs({ applications })));
    });

    it("can be read nowhere in what the engine is told", () => {
        expect(leaks(recording)).to.deep.equal([]);
    });

    it("are never in a container's environment, command, labels or health check", () => {
        for (const { name, inputs } of recording.ofType("Container")) {
            expect(JSON.stringify(inputs), name).not.to.match(confidential);
        }
    });

    it("travel by standard input to files that only the container's user may read", () => {
        const { wire, inputs } = recording.custom("pg-patroni-db1-passwords");
        expect(isSecret(wire.stdin)).to.equal(true);
        expect(inputs.stdin).to.include(generatedPassword("pg-credentials-replicator"));
        expect(inputs.stdin).to.include('chown 999:999 "$file.new" && chmod 0400 "$file.new"');
        expect(inputs.stdin).to.include('chmod 700 "$dir"');
    });

    it("leave files without secrets readable in a preview", () => {
        expect(isSecret(recording.custom("pg-haproxy-db1-config").wire.stdin)).to.equal(false);
        expect(isSecret(recording.custom("pg-haproxy-db1-users").wire.stdin)).to.equal(true);
    });
});
