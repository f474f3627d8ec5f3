import type { SlotType } from "./render/patroniSlots";

/** A replication slot that Patroni keeps on the primary, through restarts and failovers. */
export interface SlotArgs {
    /** Kind of slot. */
    type: SlotType;
    /**
     * Database whose changes a logical slot decodes. The slot is made as soon as the database is there.
     *
     * @default - none; a logical slot needs one
     *
     * **Change:** the slot is made anew, without what its consumer had not read.
     */
    database?: string;
    /**
     * Output plugin of a logical slot. The image has `pgoutput`, which PostgreSQL's subscriptions use, and `test_decoding`.
     *
     * @default "pgoutput" - for a logical slot
     *
     * **Change:** the slot is made anew, without what its consumer had not read.
     */
    plugin?: string;
}

/** Slots that somebody else makes: Patroni leaves those alone whose values are all as given here. */
export interface IgnoredSlotArgs {
    /** @default - any name */
    name?: string;
    /** @default - either kind */
    type?: SlotType;
    /** @default - any database */
    database?: string;
    /** @default - any plugin */
    plugin?: string;
}
