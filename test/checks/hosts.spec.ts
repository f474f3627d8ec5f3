import { HostArgs } from "../../components";
import { checkHost, hostWarnings } from "../../components/checks/hosts";
import { hostKey } from "../helpers/cluster";
import { expectProblems, refuses } from "./problems";

const good: HostArgs = { address: "192.0.2.11", memoryMiB: 4096, ssh: { hostKey } };
const check = (changes: Partial<HostArgs>) => checkHost("db1", { ...good, ...changes });

describe("checks/hosts", () => {
    const allowed: Partial<HostArgs>[] = [
        {},
        { address: "db1.example.com" },
        { sshAddress: "127.0.0.1", ssh: { port: 2222, user: "deploy", hostKey: `${hostKey} root@db1` } },
        { labels: { infra_node: "1", "com.example/zone": "a-1" }, placementLabel: "infra_node" },
        { sysctls: { "net.ipv4.tcp_rmem": "4096 87380 6291456", "vm.swappiness": "10" } },
        { nodeName: "db1.example.com" },
    ];
    for (const changes of allowed) {
        it(`takes ${JSON.stringify(changes).slice(0, 60)}`, () => expectProblems(check(changes), {}));
    }

    refuses(check, [
        {
            name: "an address with a port",
            given: { address: "192.0.2.11:22" },
            problems: { "hosts.db1.address": '"192.0.2.11:22" was given; an IPv4' },
        },
        {
            name: "a broken IPv4 address",
            given: { address: "192.0.2.256" },
            problems: { "hosts.db1.address": "192.0.2.256" },
        },
        {
            name: "an IPv6 address",
            given: { address: "2001:db8::1" },
            problems: { "hosts.db1.address": "an IPv4 address or a host name" },
        },
        {
            name: "an address that only the host itself reaches",
            given: { address: "127.0.0.1" },
            problems: { "hosts.db1.address": "can't reach this host there" },
        },
        {
            name: "an ssh option instead of an address",
            given: { sshAddress: "-oProxyCommand=id" },
            problems: { "hosts.db1.sshAddress": "-oProxyCommand=id" },
        },
        {
            name: "a login that is none",
            given: { ssh: { user: "root;id" } },
            problems: { "hosts.db1.ssh.user": '"root;id" was given' },
        },
        {
            name: "an ssh port that is none",
            given: { ssh: { port: 0 } },
            problems: { "hosts.db1.ssh.port": "0 was given; a whole number from 1" },
        },
        {
            name: "a fingerprint instead of a host key",
            given: { ssh: { hostKey: "SHA256:abc" } },
            problems: { "hosts.db1.ssh.hostKey": '"SHA256:abc" was given; a public key' },
        },
        {
            name: "too little memory",
            given: { memoryMiB: 256 },
            problems: { "hosts.db1.memoryMiB": "256 was given; a whole number of at least 512" },
        },
        {
            name: "memory that is no number",
            given: { memoryMiB: NaN },
            problems: { "hosts.db1.memoryMiB": "NaN was given" },
        },
        {
            name: "a node name that Docker can't show",
            given: { nodeName: "db 1" },
            problems: { "hosts.db1.nodeName": '"db 1" was given' },
        },
        {
            name: "a label name with a sign",
            given: { labels: { "a=b": "c" } },
            problems: { "hosts.db1.labels": '"a=b" was given' },
        },
        {
            name: "a label value with a space",
            given: { labels: { rack: "a b" } },
            problems: { 'hosts.db1.labels["rack"]': '"a b" was given' },
        },
        {
            name: "a label of this library",
            given: { labels: { "pgha.host": "db9" } },
            problems: { "hosts.db1.labels": '"pgha.host" is this library\'s own' },
        },
        {
            name: "a placement label that the host lacks",
            given: { labels: { zone: "a" }, placementLabel: "rack" },
            problems: {
                "hosts.db1.placementLabel": '"rack" was given; one of this host\'s labels is allowed: pgha.host, zone',
            },
        },
        {
            name: "a kernel setting that is none",
            given: { sysctls: { swappiness: "1" } },
            problems: { "hosts.db1.sysctls": '"swappiness" was given' },
        },
        {
            name: "a kernel setting with a line break",
            given: { sysctls: { "vm.swappiness": "1\nkernel.panic=1" } },
            problems: { 'hosts.db1.sysctls["vm.swappiness"]': "words and numbers" },
        },
    ]);

    it("refuses a key that is no name", () => {
        expectProblems(checkHost("DB 1", good), { "hosts.DB 1": '"DB 1" was given as key' });
    });

    it("warns of a host without a key, and shows how to get one", () => {
        expectProblems(hostWarnings("db1", { ...good, ssh: {} }), {
            "hosts.db1.ssh.hostKey": "ssh-keyscan -t ed25519 192.0.2.11",
        });
        expectProblems(hostWarnings("db1", good), {});
    });
});
