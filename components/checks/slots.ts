import { workloadNames } from "../defaults";
import type { PatroniSettingsArgs } from "../patroniSettings";
import type { SlotArgs } from "../patroniSlots";
import { patroniSlotName, SlotType } from "../render/patroniSlots";
import { postgresParameters } from "../patroniSettings";
import { checkIdentifier } from "./names";
import { Problem } from "./problem";

/** Names that PostgreSQL takes for a slot; others Patroni logs and skips. */
const slotName = /^[a-z0-9_]{1,63}$/;

/** Checks permanent slots, and that there is room for all slots. */
export function checkSlots(path: string, args: PatroniSettingsArgs, nodeCount: number, memoryMiB: number): Problem[] {
    const slots = Object.entries(args.slots ?? {});
    const parameters = postgresParameters(args, memoryMiB);
    const problems = slots.flatMap(([name, slot]) => checkSlot(`${path}.slots.${name}`, name, slot));
    if (slots.length > 0 && args.useSlots === false) {
        const reason =
            "false was given, and Patroni makes no slots at all then; leave it out or take patroni.slots out";
        problems.push({ path: `${path}.useSlots`, reason });
    }
    const logical = slots.filter(([, slot]) => slot.type === SlotType.Logical).map(([name]) => name);
    if (logical.length > 0) {
        problems.push(...checkWalLevel(path, parameters.wal_level, `the logical slot ${logical.join(", ")}`));
    }
    // Each node keeps a slot for each other one, too.
    const needed = Math.max(nodeCount - 1, 0) + slots.length;
    for (const name of ["max_replication_slots", "max_wal_senders"]) {
        const given = Number(parameters[name]);
        if (given < needed) {
            const reason = `${given} was given; at least ${needed} are needed for ${nodeCount} nodes and ${slots.length} permanent slots`;
            problems.push({ path: `${path}.parameters.${name}`, reason });
        }
    }
    (args.ignoreSlots ?? []).forEach((ignored, index) => {
        if (Object.values(ignored).every((value) => value === undefined)) {
            const reason = "nothing was given in it; a name, type, database or plugin to compare with is needed";
            problems.push({ path: `${path}.ignoreSlots[${index}]`, reason });
        }
    });
    return problems;
}

/** Checks that changes can be decoded. */
export function checkWalLevel(path: string, level: unknown, user: string): Problem[] {
    const reason = `"${String(level)}" is in force; ${user} needs "logical"`;
    return level === "logical" ? [] : [{ path: `${path}.parameters.wal_level`, reason }];
}

/** Checks that no permanent slot has the name of a node's own: Patroni would drop one of them over and over. */
export function checkSlotsApart(
    path: string,
    slots: { [name: string]: SlotArgs } | undefined,
    nodeKeys: string[],
): Problem[] {
    return nodeKeys
        .map((key) => ({ key, slot: patroniSlotName(workloadNames.patroni(key)) }))
        .filter(({ slot }) => Object.hasOwn(slots ?? {}, slot))
        .map(({ key, slot }) => ({
            path: `${path}.${slot}`,
            reason: `it is the name of the slot that Patroni makes for node "${key}"; another name is allowed`,
        }));
}

function checkSlot(path: string, name: string, slot: SlotArgs): Problem[] {
    const problems: Problem[] = [];
    if (!slotName.test(name)) {
        const reason = `"${name}" was given; 1 to 63 lower-case letters, digits and "_" are allowed, or Patroni skips it`;
        problems.push({ path, reason });
    }
    if (slot.type === SlotType.Logical) {
        if (slot.database === undefined) {
            problems.push({ path: `${path}.database`, reason: "none was given; a logical slot decodes one database" });
        }
        if (slot.plugin !== undefined && !/^[a-z0-9_]+$/.test(slot.plugin)) {
            const reason = `"${slot.plugin}" was given; a plugin's name such as "pgoutput" is allowed`;
            problems.push({ path: `${path}.plugin`, reason });
        }
    } else if (slot.database !== undefined || slot.plugin !== undefined) {
        const reason = "a database or plugin was given; a physical slot has neither, only one of type logical";
        problems.push({ path, reason });
    }
    return [...problems, ...(slot.database === undefined ? [] : checkIdentifier(`${path}.database`, slot.database))];
}
