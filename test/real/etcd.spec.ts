import { expect } from "chai";
import { parse } from "yaml";
import { containerPaths } from "../../components/defaults";
import { renderEtcdYaml } from "../../components/render/etcdYaml";
import { etcdMember } from "../render/samples";
import { Container } from "./container";

/** Settings whose text etcd shows in another form. */
const shownAs: { [name: string]: unknown } = {
    "heartbeat-interval": "250ms",
    "election-timeout": "2.5s",
    "auto-compaction-retention": "1h0m0s",
    "initial-advertise-peer-urls": ["http://127.0.0.1:2380"],
    "advertise-client-urls": ["http://127.0.0.1:2379"],
    "listen-peer-urls": ["http://0.0.0.0:2380"],
    "listen-client-urls": ["http://0.0.0.0:2379"],
    "listen-metrics-urls": ["http://0.0.0.0:2381"],
};

/** Settings that etcd doesn't show. */
const notShown = ["log-level", "logger", "strict-reconfig-check"];

describe("etcd itself", () => {
    it("starts with our configuration, and has taken every setting over", () => {
        const members = [{ name: etcdMember.name, address: "127.0.0.1", clientPort: 2379, peerPort: 2380 }];
        const timing = { heartbeatIntervalMilliseconds: 250, electionTimeoutMilliseconds: 2500 };
        const config = renderEtcdYaml({ ...etcdMember, ...timing, members });
        const files = { [containerPaths.etcdConfig]: config.replace("log-level: warn", "log-level: info") };
        const member = Container.start("etcd", ["etcd", "--config-file", containerPaths.etcdConfig], { files });
        try {
            member.waitFor(["etcdctl", "endpoint", "health", "--cluster"]);
            // etcd ignores a misspelt key, so what counts is what it says of itself.
            const lines = member.logs().split("\n");
            const shown = JSON.parse(
                lines.find((line) => line.includes('"starting an etcd server"')) ?? "{}",
            ) as object;
            const given = Object.entries(parse(config) as object).filter(([name]) => !notShown.includes(name));
            expect(given.length).to.be.greaterThan(10);
            expect(shown).to.deep.include(
                Object.fromEntries(given.map(([name, value]) => [name, shownAs[name] ?? value])),
            );
        } finally {
            member.remove();
        }
    });
});
