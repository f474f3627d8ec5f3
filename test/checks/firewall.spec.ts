import { PostgresClusterArgs } from "../../components";
import { checkCluster } from "../../components/checks/cluster";
import { clusterArgs, hostArgs } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

type Changes = Partial<PostgresClusterArgs>;

const check = (changes: Changes) => checkCluster("pg", clusterArgs(changes));
const hosts = hostArgs();
const db1 = hosts.db1 ?? { address: "", memoryMiB: 0 };

describe("checks of the firewall", () => {
    it("takes addresses and networks", () => {
        const sources = ["192.0.2.7", "10.0.0.0/8", "0.0.0.0/0"];
        expectProblems(check({ firewall: { clients: sources, monitoring: sources, operators: [] } }), {});
    });

    refuses(check, [
        {
            name: "nobody",
            given: { firewall: { clients: [] } },
            problems: { "firewall.clients": 'no source was given; at least one is needed, such as "10.0.0.0/8"' },
        },
        {
            name: "a name",
            given: { firewall: { clients: ["app.example.com"] } },
            problems: { "firewall.clients[0]": '"app.example.com" was given; an IPv4 address or a network' },
        },
        {
            name: "IPv6",
            given: { firewall: { clients: ["10.0.0.1"], monitoring: ["2001:db8::/32"] } },
            problems: { "firewall.monitoring[0]": '"2001:db8::/32" was given' },
        },
        {
            name: "bits of a host in a network",
            given: { firewall: { clients: ["10.0.0.1"], operators: ["10.0.0.1", "10.0.0.1/24"] } },
            problems: { "firewall.operators[1]": '"10.0.0.1/24" was given; a network\'s own address is allowed' },
        },
        {
            name: "rules hidden in a source",
            given: { firewall: { clients: ["10.0.0.1 } ; flush ruleset"] } },
            problems: { "firewall.clients[0]": "was given; an IPv4 address" },
        },
        {
            name: "a host known by name",
            given: {
                hosts: { ...hosts, db1: { ...db1, address: "db1.example.com" } },
                firewall: { clients: ["10.0.0.1"] },
            },
            problems: {
                "hosts.db1.address": '"db1.example.com" was given; with a firewall an IPv4 address is allowed',
            },
        },
        {
            name: "to close sshd's port",
            given: {
                hosts: { ...hosts, db1: { ...db1, ssh: { ...db1.ssh, port: 7000 } } },
                firewall: { clients: ["10.0.0.1"] },
            },
            problems: { "hosts.db1.ssh.port": "port 7000 of host \"db1\" is sshd's and the cluster's" },
        },
    ]);
});
