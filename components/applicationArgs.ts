import type { RoleAccess } from "./render/sql";

/** A further role of an application. */
export interface ApplicationRoleArgs {
    /**
     * What it may do with what the owner has made and will make in the application's schemas.
     *
     * @default RoleAccess.ReadOnly
     *
     * **Change:** in place.
     */
    access?: RoleAccess;
    /**
     * Connections that it may hold; -1 means no limit.
     *
     * @default -1
     *
     * **Change:** in place.
     */
    connectionLimit?: number;
    /**
     * A greater number makes a new password, with a login of its own; the one before stays valid, too.
     *
     * @default 1
     *
     * **Change:** in place; what the outputs give out is the new login.
     */
    passwordGeneration?: number;
    /**
     * Oldest generation that still logs in; a greater number refuses those before it. Each generation has a login of its own, so that clients
     * can change over one after the other.
     *
     * @default - the generation before `passwordGeneration`
     *
     * **Change:** in place; sessions that are open go on.
     */
    oldestPasswordGeneration?: number;
}

/** A consumer of an application's changes by logical replication. */
export interface ReplicationRoleArgs {
    /**
     * Connections that it may hold; -1 means no limit.
     *
     * @default -1
     *
     * **Change:** in place.
     */
    connectionLimit?: number;
    /**
     * A greater number makes a new password, with a login of its own; the one before stays valid, too.
     *
     * @default 1
     *
     * **Change:** in place; what the outputs give out is the new login.
     */
    passwordGeneration?: number;
    /**
     * Oldest generation that still logs in; a greater number refuses those before it. Each generation has a login of its own, so that clients
     * can change over one after the other.
     *
     * @default - the generation before `passwordGeneration`
     *
     * **Change:** in place; sessions that are open go on.
     */
    oldestPasswordGeneration?: number;
}

/** An application's database. */
export interface ApplicationArgs {
    /**
     * Name of the database: any name of at most 63 bytes, quoted where it must be.
     *
     * @default - the application's key
     *
     * **Change:** another database is made; the old one stays.
     */
    database?: string;
    /**
     * Name of the role that owns it.
     *
     * @default - the application's key
     *
     * **Change:** another role is made and becomes the owner; the old one can't log in any more.
     */
    owner?: string;
    /**
     * Further roles by name.
     *
     * @default - none
     *
     * **Change:** in place; a role that is taken out can't log in any more, and is not dropped.
     */
    roles?: { [name: string]: ApplicationRoleArgs };
    /**
     * Roles by name that follow the application's changes, as `CREATE SUBSCRIPTION`, `pg_recvlogical` and Debezium do: they may read
     * every table and hold logical slots. The owner makes the publications. Their URL leads to the primary, where their slots are.
     * They need the parameter `wal_level: logical` and, as any login, a rule of pg_hba.conf for their database; a slot that has to outlive a failover is one of `patroni.slots`.
     *
     * @default - none
     *
     * **Change:** in place; a role that is taken out can't log in any more, and is not dropped.
     */
    replicationRoles?: { [name: string]: ReplicationRoleArgs };
    /**
     * Schemas that the owner gets, and that the roles' access speaks of.
     *
     * @default ["public"]
     *
     * **Change:** in place; a schema that is taken out stays.
     */
    schemas?: string[];
    /**
     * Extensions, which the image must hold.
     *
     * @default - none
     *
     * **Change:** in place; an extension that is taken out stays.
     */
    extensions?: string[];
    /**
     * Connections to the database; -1 means no limit.
     *
     * @default -1
     *
     * **Change:** in place.
     */
    connectionLimit?: number;
    /**
     * A greater number makes a new password for the owner, with a login of its own; the one before stays valid, too.
     *
     * @default 1
     *
     * **Change:** in place; what the outputs give out is the new login.
     */
    passwordGeneration?: number;
    /**
     * Oldest generation that still logs in; a greater number refuses those before it. Each generation has a login of its own, so that clients
     * can change over one after the other.
     *
     * @default - the generation before `passwordGeneration`
     *
     * **Change:** in place; sessions that are open go on.
     */
    oldestPasswordGeneration?: number;
    /**
     * Whether the database and its roles are dropped, with all their data, when the application is taken out or the stack is destroyed.
     *
     * @default false - they stay
     *
     * **Change:** in place.
     */
    allowDrop?: boolean;
}
