import { expect } from "chai";
import * as pulumi from "@pulumi/pulumi";
import { ApplicationDatabase, ApplicationDatabaseArgs } from "../../components";
import { sqlConnection } from "../helpers/cluster";
import { generatedPassword, problemPaths, record, RecordOptions, recordRefusal } from "../helpers/mocks";
import { Recording } from "../helpers/recording";

function applicationArgs(changes: Partial<ApplicationDatabaseArgs> = {}): ApplicationDatabaseArgs {
    const addresses = ["192.0.2.11", "192.0.2.12"];
    return {
        key: "shop",
        sql: sqlConnection(),
        endpoints: {
            direct: { addresses, port: 5433 },
            readOnly: { addresses, port: 5434 },
            pooled: { addresses, port: 6432 },
        },
        salt: pulumi.secret("salt"),
        ...changes,
    };
}

function recordApplication(changes?: Partial<ApplicationDatabaseArgs>, options?: RecordOptions): Promise<Recording> {
    return record(() => new ApplicationDatabase("shop", applicationArgs(changes)), options);
}

function sqlOf(recording: Recording): string {
    return String(recording.custom("shop-database").inputs.stdin);
}

/** An output's value, and whether it is secret. */
async function settled<T>(output: pulumi.Output<T>): Promise<{ value: T; secret: boolean }> {
    const secret = await pulumi.isSecret(output);
    return new Promise((resolve) => output.apply((value) => resolve({ value, secret })));
}

describe("ApplicationDatabase", () => {
    it("is a password for each login, and one command", async () => {
        const recording = await recordApplication({ roles: { reader: {}, writer: {} } });
        expect(recording.childrenOf("shop")).to.deep.equal([
            "Command shop-database",
            "RandomPassword shop-owner",
            "RandomPassword shop-role-reader",
            "RandomPassword shop-role-writer",
        ]);
    });

    it("gives its key to database and owner unless they have names", async () => {
        expect(sqlOf(await recordApplication())).to.include('CREATE DATABASE "shop" OWNER "shop"');
        const named = await recordApplication({ database: "Web Shop", owner: "keeper" });
        expect(sqlOf(named)).to.include('CREATE DATABASE "Web Shop" OWNER "keeper"');
    });

    it("drops nothing unless that is allowed", async () => {
        const kept = (await recordApplication()).custom("shop-database").inputs;
        expect(kept.delete).to.equal(undefined);
        expect(kept.stdin).not.to.match(/DROP DATABASE/);
        const dropped = (await recordApplication({ allowDrop: true })).custom("shop-database").inputs;
        expect(dropped.delete).to.be.a("string");
        expect(dropped.stdin).to.match(/DROP DATABASE/);
    });

    it("makes one new password for a greater generation", async () => {
        const roles = { reader: {} };
        const before = await recordApplication({ roles });
        const owner = await recordApplication({ roles, passwordGeneration: 2 }, { previous: before });
        expect(owner.changedSince(before)).to.deep.equal(["shop-database", "shop-owner", "shop-owner-generation-2"]);
        const role = await recordApplication({ roles: { reader: { passwordGeneration: 2 } } }, { previous: before });
        expect(role.changedSince(before)).to.deep.equal([
            "shop-database",
            "shop-role-reader",
            "shop-role-reader-generation-2",
        ]);
    });

    it("gives out the login of the current generation", async () => {
        let made: ApplicationDatabase | undefined;
        await record(() => {
            const roles = { reader: { passwordGeneration: 3 } };
            const replicationRoles = { cdc: { passwordGeneration: 2 } };
            made = new ApplicationDatabase("shop", applicationArgs({ passwordGeneration: 2, roles, replicationRoles }));
        });
        const { owner, username, urls, roles, replicationRoles } = made ?? expect.fail("the program made nothing");
        expect([owner, username]).to.deep.equal(["shop", "shop_2"]);
        const password = generatedPassword("shop-owner-generation-2", "2");
        expect((await settled(urls)).value.pooled).to.match(new RegExp(`^postgresql://shop_2:${password}@`));
        expect((await settled(roles)).value.reader).to.deep.include({ username: "reader_3" });
        expect((await settled(replicationRoles)).value.cdc?.url).to.match(/^postgresql:\/\/cdc_2:/);
    });

    it("refuses old logins only when it is told to", async () => {
        const refusedBut = async (changes: Partial<ApplicationDatabaseArgs>): Promise<string | undefined> =>
            /NOT IN (\(.*?\)) AND rolcanlogin/.exec(sqlOf(await recordApplication(changes)))?.[1];
        expect(await refusedBut({})).to.equal("('shop')");
        expect(await refusedBut({ passwordGeneration: 3 })).to.equal("('shop_2', 'shop_3')");
        expect(await refusedBut({ passwordGeneration: 3, oldestPasswordGeneration: 1 })).to.equal(
            "('shop', 'shop_2', 'shop_3')",
        );
        expect(await refusedBut({ passwordGeneration: 3, oldestPasswordGeneration: 3 })).to.equal("('shop_3')");
    });

    it("tells its logins as secrets", async () => {
        let made: ApplicationDatabase | undefined;
        await record(() => {
            made = new ApplicationDatabase("shop", applicationArgs({ roles: { reader: {} } }));
        });
        if (made === undefined) {
            throw new Error("the program made nothing");
        }
        const password = generatedPassword("shop-owner");
        expect(await settled(made.password)).to.deep.equal({ value: password, secret: true });
        expect(await settled(made.urls)).to.deep.equal({
            value: {
                direct: `postgresql://shop:${password}@192.0.2.11:5433,192.0.2.12:5433/shop?connect_timeout=3`,
                readOnly: `postgresql://shop:${password}@192.0.2.11:5434,192.0.2.12:5434/shop?connect_timeout=3`,
                pooled: `postgresql://shop:${password}@192.0.2.11:6432,192.0.2.12:6432/shop?connect_timeout=3`,
            },
            secret: true,
        });
        const roles = await settled(made.roles);
        expect(roles.secret).to.equal(true);
        expect(roles.value.reader).to.include({ username: "reader", password: generatedPassword("shop-role-reader") });
    });

    it("refuses what can't be, all at once, and creates nothing", async () => {
        const { recording, error } = await recordRefusal(
            () =>
                new ApplicationDatabase(
                    "shop",
                    applicationArgs({ owner: "postgres", roles: { ["r".repeat(64)]: {} } }),
                ),
        );
        expect(problemPaths(error)).to.deep.equal(["applications.shop.owner", "applications.shop.roles"]);
        expect(recording.names()).to.deep.equal(["shop"]);
    });
});
