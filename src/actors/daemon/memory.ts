/** The last events, for clients that come back. Pure. */
import type { NaughtEvent } from "../../protocol/types.js";

/** How many events are kept. */
const most = 1000;
/** A portion is copied at each event, all of them only when it is full. */
const portion = 50;

export interface Memory {
  readonly old: readonly NaughtEvent[];
  readonly fresh: readonly NaughtEvent[];
}

export const noMemory: Memory = { old: [], fresh: [] };

export function remember({ old, fresh }: Memory, event: NaughtEvent): Memory {
  return fresh.length < portion
    ? { old, fresh: [...fresh, event] }
    : { old: recall({ old, fresh }), fresh: [event] };
}

/** The oldest first. */
export function recall({ old, fresh }: Memory): NaughtEvent[] {
  return [...old, ...fresh].slice(-most);
}
