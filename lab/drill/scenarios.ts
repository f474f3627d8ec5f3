import type { HostFault } from "./lab";

/** Something that happens to the leader. */
export interface Scenario {
    name: string;
    description: string;
    /** How its host is lost; without it only the container dies and Swarm starts the next one. */
    hostFault?: HostFault;
}

export const scenarios: Scenario[] = [
    { name: "kill-container", description: "the leader's container is killed" },
    { name: "stop-host", description: "the leader's host is shut down", hostFault: "stop" },
    { name: "crash-host", description: "the leader's host crashes", hostFault: "crash" },
    { name: "cut-host", description: "the leader's host is cut off from the network", hostFault: "cut" },
];
