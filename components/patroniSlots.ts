import { PermanentSlot, SlotType } from "./render/patroniSlots";

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

/** The output plugin of PostgreSQL's own subscriptions. */
const defaultPlugin = "pgoutput";

/** Slots as Patroni's configuration says them, with defaults filled in. */
export function permanentSlots(slots: { [name: string]: SlotArgs }): { [name: string]: PermanentSlot } {
    return Object.fromEntries(
        Object.entries(slots).map(([name, { type, database, plugin }]) => [
            name,
            type === SlotType.Logical ? { type, database, plugin: plugin ?? defaultPlugin } : { type },
        ]),
    );
}
