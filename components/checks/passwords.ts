import {
    ClusterPasswordGenerationsArgs,
    clusterSecrets,
    LoginGenerationArgs,
    loginGenerations,
    statisticsGenerations,
} from "../passwordGenerations";
import { loginName } from "../render/roleSql";
import { Problem } from "./problem";
import { checkIdentifier } from "./names";
import { checkNumber } from "./values";

const generation = { min: 1, max: 9999 };

/** Checks the generations of the cluster's own passwords. */
export function checkPasswordGenerations(path: string, args: ClusterPasswordGenerationsArgs = {}): Problem[] {
    const { all, oldestStatistics } = args;
    const problems = (["all", "oldestStatistics", ...clusterSecrets] as const).flatMap((name) =>
        checkNumber(`${path}.${name}`, args[name], generation),
    );
    if (problems.length > 0) {
        return problems;
    }
    if (all !== undefined) {
        for (const secret of clusterSecrets) {
            const given = args[secret];
            if (given !== undefined && given <= all) {
                const reason = `${given} was given; a number above all (${all}) is allowed, or none: it would not be changed with the others`;
                problems.push({ path: `${path}.${secret}`, reason });
            }
        }
    }
    const { current, oldest } = statisticsGenerations(args);
    if (oldestStatistics !== undefined && (oldest > current || oldest < current - 1)) {
        const reason = `${oldestStatistics} was given; ${current} or ${Math.max(1, current - 1)} is allowed`;
        problems.push({ path: `${path}.oldestStatistics`, reason });
    }
    return problems;
}

/** Checks the generations of a login whose clients are not the cluster's own. */
export function checkLoginGenerations(path: string, role: string, args: LoginGenerationArgs): Problem[] {
    const { passwordGeneration, oldestPasswordGeneration } = args;
    const problems = [
        ...checkNumber(`${path}.passwordGeneration`, passwordGeneration, generation),
        ...checkNumber(`${path}.oldestPasswordGeneration`, oldestPasswordGeneration, generation),
    ];
    if (problems.length > 0) {
        return problems;
    }
    const { current, oldest } = loginGenerations(args);
    if (oldest > current) {
        const reason = `${oldest} was given; at most passwordGeneration (${current}) is allowed`;
        problems.push({ path: `${path}.oldestPasswordGeneration`, reason });
    }
    return current === 1 ? problems : [...problems, ...checkIdentifier(path, loginName(role, current))];
}

/** Logins that earlier passwords still have, though their clients may have changed over. */
export function earlierPasswordWarnings(path: string, args: LoginGenerationArgs): Problem[] {
    const { current, oldest } = loginGenerations(args);
    if (oldest === current) {
        return [];
    }
    const reason = `passwords from generation ${oldest} on still log in; set oldestPasswordGeneration to ${current} when all clients have the new one`;
    return [{ path, reason }];
}
