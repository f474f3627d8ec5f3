/** Kinds of replication slots. */
export enum SlotType {
    /** Holds the write-ahead log for a consumer of its bytes. */
    Physical = "physical",
    /** Holds what a decoder of one database's changes has not confirmed. */
    Logical = "logical",
}

/** A permanent slot as Patroni's configuration says it. */
export interface PermanentSlot {
    type: SlotType;
    database?: string;
    plugin?: string;
}

/** The slot that Patroni makes for a member (patroni/dcs/__init__.py, slot_name_from_member_name). */
export function patroniSlotName(member: string): string {
    return member.replaceAll(/[-.]/g, "_");
}

/** The output plugin of PostgreSQL's own subscriptions. */
const defaultPlugin = "pgoutput";

/** Slots as Patroni's configuration says them, with defaults filled in. */
export function permanentSlots(slots: { [name: string]: PermanentSlot }): { [name: string]: PermanentSlot } {
    return Object.fromEntries(
        Object.entries(slots).map(([name, { type, database, plugin }]) => [
            name,
            type === SlotType.Logical ? { type, database, plugin: plugin ?? defaultPlugin } : { type },
        ]),
    );
}
