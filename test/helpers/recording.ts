import { isDeepStrictEqual } from "node:util";

const attemptType = "random:index/randomId:RandomId";

/** One resource as the program asked the engine for it. Other resources are referred to by their logical names. */
export interface Registration {
    type: string;
    name: string;
    /** False for a component. */
    custom: boolean;
    /** Inputs as they were sent: secrets are wrapped. */
    wire: { [name: string]: unknown };
    /** Inputs with the secrets unwrapped. */
    inputs: { [name: string]: unknown };
    /** Undefined directly under the stack. */
    parent?: string;
    /** The explicit provider. */
    provider?: string;
    /** What must be there before. */
    dependsOn: string[];
    ignoreChanges: string[];
    /** Undefined when the provider decides. */
    deleteBeforeReplace?: boolean;
}

/** What a program asked the engine for. */
export class Recording {
    readonly resources: Registration[] = [];
    /** Outputs that components registered. */
    readonly outputs: unknown[] = [];
    /** Calls of provider functions. */
    readonly invocations: { token: string; inputs: { [name: string]: unknown } }[] = [];
    readonly warnings: string[] = [];

    /** The resource of a provider with that logical name. A name may be another type's, too. */
    custom(name: string): Registration {
        return this.only((resource) => resource.custom && resource.name === name, name);
    }

    /** The component with that logical name. */
    component(name: string): Registration {
        return this.only((resource) => !resource.custom && resource.name === name, name);
    }

    find(type: string, name: string): Registration | undefined {
        return this.resources.find((resource) => resource.type === type && resource.name === name);
    }

    /** Resources of a provider, by the last part of their type. */
    ofType(type: string): Registration[] {
        return this.resources.filter((resource) => resource.type.split(":").at(-1) === type);
    }

    /** A component's children as `Type name`, in alphabetical order, but for attempts: they go with the steps that they stamp. */
    childrenOf(parent: string): string[] {
        return this.resources
            .filter((resource) => resource.parent === parent && resource.type !== attemptType)
            .map(({ type, name }) => `${type.split(":").at(-1)} ${name}`)
            .sort();
    }

    names(): string[] {
        return this.resources.map((resource) => resource.name);
    }

    /** All provider resources that one waits for, directly or through others. */
    ancestorsOf(name: string): string[] {
        const found = new Set<string>();
        const visit = (dependencies: string[]): void => {
            for (const dependency of dependencies.filter((next) => !found.has(next))) {
                found.add(dependency);
                visit(this.custom(dependency).dependsOn);
            }
        };
        visit(this.custom(name).dependsOn);
        return [...found];
    }

    /** Those of some steps that don't wait, directly or through others, for the one before them. */
    outOfOrder(steps: string[]): string[] {
        return steps.filter((step, index) => {
            const previous = steps[index - 1];
            return previous !== undefined && !this.ancestorsOf(step).includes(previous);
        });
    }

    /** Names of the resources that an update from an earlier recording creates, changes or removes, but for attempts. */
    changedSince(earlier: Recording): string[] {
        const removed = earlier.resources.filter(({ type, name }) => this.find(type, name) === undefined);
        const changed = this.resources.filter(
            ({ type, name, wire }) => !isDeepStrictEqual(earlier.find(type, name)?.wire, wire),
        );
        return [...removed, ...changed]
            .filter(({ type }) => type !== attemptType)
            .map((resource) => resource.name)
            .sort();
    }

    private only(matches: (resource: Registration) => boolean, name: string): Registration {
        const [found, ...others] = this.resources.filter(matches);
        if (found === undefined || others.length > 0) {
            const count = found === undefined ? 0 : others.length + 1;
            throw new Error(`${count} resources are called "${name}"; there are: ${this.names().join(", ")}`);
        }
        return found;
    }
}
