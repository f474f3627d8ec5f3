import { expect } from "chai";
import { containerPaths } from "../../components/defaults";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import { etcdMember } from "../render/samples";
import { Container } from "./container";

describe("etcd itself", function () {
    this.timeout(120_000);

    it("starts with our configuration, and warns of nothing in it", () => {
        const members = [{ name: etcdMember.name, address: "127.0.0.1" }];
        const files = { [containerPaths.etcdConfig]: renderEtcdYaml({ ...etcdMember, members }) };
        const member = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], { files });
        try {
            member.waitFor(["etcdctl", "endpoint", "health", "--cluster"]);
            expect(member.exec(["etcdctl", "member", "list"]).stdout).to.include(
                `, started, ${etcdMember.name}, http://127.0.0.1:2380`,
            );
            expect(member.logs()).not.to.match(/unknown|unrecognized|invalid|deprecated/i);
        } finally {
            member.remove();
        }
    });
});
