import type { Settings } from "../../../settings";
import { run } from "./command";
import { lines, scriptOnHost } from "./hosts";
import { eventually } from "./wait";

const bringUpSeconds = 300;
const stopSeconds = 120;

/** As lab/stack.yaml gives the other hosts: PostgreSQL's settings follow from the least. */
const memoryMiB = 2048;

const listing = `source lab/lab.env.sh
for host in "\${LAB_SPARE_HOSTS[@]}"; do
  key=$(cut -d ' ' -f 1,2 "$(lab_host_key "$host").pub")
  echo "$host \${LAB_ADDRESS[$host]} $key"
done`;

/** Removes what an earlier cluster or member has left, of which nothing may run any more. */
const removal = `[ -z "$(docker ps --quiet)" ] || { echo "containers run here: 'pulumi up --stack lab' takes them away" >&2; exit 1; }
find /srv -mindepth 1 -delete`;

/** Brings the lab's spare hosts up with nothing on them, and gives them as settings. */
export async function bringUpSpareHosts(): Promise<Settings["hosts"]> {
    await run("lab/up.sh", ["--spare"], { timeoutSeconds: bringUpSeconds });
    const { stdout } = await run("bash", ["-euc", listing]);
    const hosts = lines(stdout).map((line) => {
        const [name = "", address = "", ...hostKey] = line.split(" ");
        return [name, { address, memoryMiB, ssh: { hostKey: hostKey.join(" ") } }] as const;
    });
    for (const [name] of hosts) {
        await eventually(`nothing runs on ${name}`, stopSeconds, () => scriptOnHost(name, removal));
    }
    return Object.fromEntries(hosts);
}
