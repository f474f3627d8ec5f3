import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { createDataDirectory } from "./dataDirectory";
import { stamped, workloadFingerprint } from "./fingerprint";
import { createHostCommand } from "./hostCommand";
import { objectName } from "./objectName";
import { waitForServices } from "./scripts";
import { createSwarmService } from "./swarmService";
import { HostConnection, PublishMode, SwarmTarget, Workload } from "./workload";

/** One member of a group that is updated member by member. */
export interface Member {
    /** The user's key of the member. */
    key: string;
    host: HostConnection;
    workload: Workload;
    /** Runs on the member's host before its container is replaced, never at the first creation. */
    beforeUpdate?: string;
    /** Runs on the member's host after its container was replaced, and must fail unless the member is well again. */
    afterUpdate: string;
}

/** Arguments of {@link rollOut}. */
export interface RolloutArgs {
    target: SwarmTarget;
    members: Member[];
    /** Script on the first member's host that waits until the whole group is well; runs at creation and after each change. */
    ready: string;
    /** Time for all containers to run, in seconds. */
    startTimeoutSeconds: number;
}

/**
 * Runs a group's members, each on its host, and changes them one at a time.
 *
 * The members form a chain: prepare, replace, gate, next member. At creation the prepare and gate steps run nothing, so that all members
 * come up together, which a quorum needs. In an update a gate that fails stops the chain with the members after it untouched, and the
 * next `up` takes up there, because a failed step is not recorded as done.
 *
 * @returns a resource that is there when the group is well.
 */
export function rollOut(name: string, args: RolloutArgs, opts: pulumi.CustomResourceOptions): pulumi.Resource {
    let previous: pulumi.Resource[] = [];
    const services = args.members.map((member) => {
        const service = rollOutMember(name, member, args.target, previous, opts);
        previous = [service.gate];
        return service;
    });
    const fingerprints = pulumi.all(services.map((service) => service.fingerprint));
    const expected = services.map((service) => ({ name: service.name, replicas: 1 }));
    const running = createHostCommand(
        `${name}-running`,
        {
            host: args.target.manager,
            create: stamped(waitForServices(args.target.manager, expected, args.startTimeoutSeconds), fingerprints),
        },
        { ...opts, dependsOn: previous },
    );
    const [first] = args.members;
    if (first === undefined) {
        return running;
    }
    return createHostCommand(
        `${name}-ready`,
        { host: first.host, create: stamped(args.ready, fingerprints) },
        { ...opts, dependsOn: [running] },
    );
}

function rollOutMember(
    name: string,
    member: Member,
    target: SwarmTarget,
    previous: pulumi.Resource[],
    opts: pulumi.CustomResourceOptions,
) {
    const stepName = `${name}-${member.key}`;
    const serviceName = objectName(target.clusterName, member.workload.name);
    const fingerprint = workloadFingerprint(member.workload);
    const directory = member.workload.data
        ? [createDataDirectory(stepName, serviceName, member.workload.data, member.host, opts)]
        : [];
    const prepare = member.beforeUpdate
        ? [
              createHostCommand(
                  `${stepName}-prepare`,
                  { host: member.host, update: stamped(member.beforeUpdate, fingerprint) },
                  { ...opts, dependsOn: previous },
              ),
          ]
        : previous;
    const service: docker.Service = createSwarmService(
        member.workload,
        { constraints: [member.host.constraint], replicas: 1, publishMode: PublishMode.Host },
        target,
        { ...opts, dependsOn: [...directory, ...prepare] },
    );
    const gate = createHostCommand(
        `${stepName}-gate`,
        { host: member.host, update: stamped(member.afterUpdate, fingerprint) },
        { ...opts, dependsOn: [service] },
    );
    return { name: serviceName, fingerprint, gate };
}
