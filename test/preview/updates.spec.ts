import { expect } from "chai";
import { LivingStack } from "./livingStack";
import { settingsWith } from "./settings";

describe("zz", () => {
    it("a", async () => {
        const living = await LivingStack.create(settingsWith({}));
        const run = await living.up(settingsWith({}));
        console.log(run.text.slice(-600), run.seconds, run.journal.length);
        const again = await living.up(settingsWith({}));
        console.log(again.text.slice(-2000), again.seconds, again.journal);
        const p = await living.preview(settingsWith({}), "--diff");
        console.log(p.text.slice(0,3000), p.text.slice(-1000), p.seconds);
        const p2 = await living.preview(
            settingsWith({
                "patroni.parameters.work_mem": "11MB",
                "haproxy.clientTimeoutSeconds": 70,
                "applications.shop.passwordGeneration": 2,
            }),
            "--diff",
        );
        console.log(p2.text.slice(0, 9000), p2.seconds);
        expect(run.status).to.equal(0);
    });
});
