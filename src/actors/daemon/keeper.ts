/** Keeps the master, or whoever holds them for the next daemon, supplied with what that would need. */
import type { Keep, NaughtEvent } from "../../protocol/types.js";
import { type Parts, packState } from "./heritage.js";
import { recall } from "./memory.js";
import type { Daemon } from "./state.js";

export interface Keeper {
  /** Looks at what a step of the machine has led to. */
  follow(state: Daemon): void;
  /** A part that is not of the machine. */
  set(name: string, part: object): void;
  /** Everything, for a master that knows nothing yet. */
  tellAll(): void;
}

/** `send` does nothing while there is nobody. */
export function createKeeper(send: (keep: Keep) => void): Keeper {
  let last: Daemon | undefined;
  let extra: Parts = {};
  let isAwaited = false;

  // Only of a server that has started: nobody is to bring back one that has not.
  const isKept = (state: Daemon): boolean => state.life === "running" && state.startCall === null;

  function tellAll(): void {
    isAwaited = !last || !isKept(last);
    if (!last || isAwaited) return;
    for (const event of recall(last.events)) send({ event });
    send({ parts: { ...packState(last), ...extra }, heard: last.heard });
  }

  return {
    follow(state) {
      const before = last;
      last = state;
      if (!isKept(state)) return;
      if (isAwaited || !before || !isKept(before)) return tellAll();
      const parts = packState(state, before);
      const event = state.sequence === before.sequence ? undefined : newest(state);
      // Several in one step: strays that are told to go.
      const news =
        state.sequence - before.sequence > 1
          ? recall(state.events).slice(before.sequence - state.sequence)
          : event
            ? [event]
            : [];
      for (const each of news.slice(0, -1)) send({ event: each });
      const keep: Keep = {
        ...(Object.keys(parts).length > 0 ? { parts } : {}),
        ...(event ? { event } : {}),
        ...(state.heard === before.heard ? {} : { heard: state.heard }),
      };
      if (Object.keys(keep).length > 0) send(keep);
    },
    set(name, part) {
      extra = { ...extra, [name]: JSON.stringify(part) };
      if (last && !isAwaited && isKept(last)) send({ parts: { [name]: extra[name] ?? "" } });
    },
    tellAll,
  };
}

function newest({ events }: Daemon): NaughtEvent | undefined {
  return events.fresh.at(-1);
}
