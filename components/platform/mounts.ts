import { WorkloadData } from "./workload";

/** The mount that keeps a workload's data. All fields are given as the providers read them back. */
export function dataMount(data: WorkloadData): { type: string; source: string; target: string; readOnly: boolean } {
    const { volumeName, hostPath, path } = data;
    return volumeName === undefined
        ? { type: "bind", source: hostPath, target: path, readOnly: false }
        : { type: "volume", source: volumeName, target: path, readOnly: false };
}
