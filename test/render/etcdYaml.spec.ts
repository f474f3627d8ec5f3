import { expect } from "chai";
import { parse } from "yaml";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import { expectGolden } from "./golden";
import { etcdMember } from "./samples";

describe("render/etcdYaml", () => {
    it("renders a member", () => expectGolden("etcd.yml", renderEtcdYaml(etcdMember)));

    it("advertises the host's ports and listens on etcd's own", () => {
        const members = etcdMember.members.map((member) => ({ ...member, clientPort: 12379, peerPort: 12380 }));
        const config = parse(renderEtcdYaml({ ...etcdMember, members })) as object;
        expect(config).to.include({
            "listen-client-urls": "http://0.0.0.0:2379",
            "listen-peer-urls": "http://0.0.0.0:2380",
            "advertise-client-urls": "http://192.0.2.11:12379",
            "initial-advertise-peer-urls": "http://192.0.2.11:12380",
        });
    });

    it("refuses a member that is not among the members", () => {
        expect(() => renderEtcdYaml({ ...etcdMember, name: "etcd-db9" })).to.throw("etcd member etcd-db9");
    });
});
