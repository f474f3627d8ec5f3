/** One thing that is wrong with an input: what was given, what is allowed, and where. */
export interface Problem {
    /** Path of the input, such as `etcd.members.db1.host`. */
    path: string;
    /** What is wrong, what was given and what is allowed: lower case, no final period. */
    reason: string;
}
