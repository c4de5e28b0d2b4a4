/** What the daemon has asked its master to remember, for the daemon that follows it. */
import type { Inheritance, Keep, NaughtEvent } from "../../protocol/types.js";

/** How many events are kept. */
const most = 1000;

export interface Memory {
  keep(keep: Keep): void;
  /** Null: nobody is to follow a daemon that has kept nothing. */
  recall(): Omit<Inheritance, "master"> | null;
}

export function createMemory(): Memory {
  let parts: Record<string, string> = {};
  let events: NaughtEvent[] = [];
  return {
    keep({ parts: changed, event, events: earlier = [] }) {
      if (changed) parts = { ...parts, ...changed };
      for (const each of event ? [...earlier, event] : earlier)
        if (each.sequence > (events.at(-1)?.sequence ?? 0)) events.push(each);
      if (events.length > 2 * most) events = events.slice(-most);
    },
    recall: () => (parts.start === undefined ? null : { parts, events: events.slice(-most) }),
  };
}
