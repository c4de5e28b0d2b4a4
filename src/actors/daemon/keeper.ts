/** Keeps the master, or whoever holds them for the next daemon, supplied with what that would need. */
import type { Keep, NaughtEvent } from "../../protocol/types.js";
import { isKept, type Parts, packState } from "./heritage.js";
import { recall } from "./memory.js";
import type { Daemon } from "./state.js";
import { listAudience } from "./turn.js";

export interface Keeper {
  /** Looks at what a step of the machine has led to. */
  follow(state: Daemon): void;
  /** A part that is not of the machine. */
  set(name: string, part: object): void;
  /** Everything, for a master that knows nothing yet. */
  tellAll(): void;
}

/** Milliseconds. */
const longestWait = 10;

/** Milliseconds for which a change of nothing but the workers may wait to be written: a deploy of many is many changes. */
const longestUnwritten = 50;

/** When what can wait is done; each returns what forgets it. */
export interface Patience {
  /** In this turn of the event loop, after everything else. */
  soon(run: () => void): void;
  later(ms: number, run: () => void): () => void;
}

const ownPatience: Patience = {
  soon: setImmediate,
  later(ms, run) {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/** `send` does nothing while there is nobody; `write` gets all parts whenever one is different. */
export function createKeeper(
  send: (keep: Keep) => void,
  write: (parts: Parts) => void,
  patience = ownPatience,
): Keeper {
  let last: Daemon | undefined;
  let extra: Parts = {};
  let isAwaited = false;
  /** What may be told a little later. */
  let later: Daemon | undefined;
  let forget: (() => void) | undefined;
  let isDue = false;
  let forgetWriting: (() => void) | undefined;

  // Several changes in a turn are one.
  function writeSoon(): void {
    if (isDue) return;
    isDue = true;
    patience.soon(writeNow);
  }

  function writeNow(): void {
    isDue = false;
    forgetWriting?.();
    forgetWriting = undefined;
    if (last && isKept(last)) write({ ...packState(last), ...extra });
  }

  // Nobody has seen the number of an event that nobody was told, and a client may ask for the status a thousand times a second.
  const canWait = (state: Daemon, before: Daemon): boolean =>
    state.sequence > before.sequence &&
    newest(state)?.name === "Status" &&
    (later ?? before).sequence === state.sequence - 1 &&
    listAudience(state).length === 0 &&
    state.heard === before.heard &&
    Object.keys(packState(state, before)).length === 0;

  function tellAll(): void {
    isAwaited = !last || !isKept(last);
    if (!last || isAwaited) return;
    for (const event of recall(last.events)) send({ event });
    send({ parts: { ...packState(last), ...extra }, heard: last.heard });
    writeSoon();
  }

  function forgetLate(): void {
    forget?.();
    forget = undefined;
    later = undefined;
  }

  function tellLate(): void {
    const events = later && last ? recall(later.events).slice(last.sequence - later.sequence) : [];
    last = later ?? last;
    forgetLate();
    if (events.length > 0) send({ events });
  }

  return {
    follow(state) {
      const before = last;
      if (before && isKept(before) && !isAwaited && isKept(state)) {
        if (state === before || state === later) return;
        if (canWait(state, before)) {
          later = state;
          forget ??= patience.later(longestWait, tellLate);
          return;
        }
      }
      forgetLate();
      last = state;
      if (!isKept(state)) return;
      if (isAwaited || !before || !isKept(before)) return tellAll();
      const parts = packState(state, before);
      const names = Object.keys(parts);
      // Without a master nobody but the file remembers what a client is told next.
      if (names.length > 0 && state.master === "none") writeNow();
      else if (names.some((name) => name !== "workers")) writeSoon();
      else if (names.length > 0) forgetWriting ??= patience.later(longestUnwritten, writeNow);
      const event = state.sequence === before.sequence ? undefined : newest(state);
      // Several in one step: strays that are told to go.
      const news =
        state.sequence - before.sequence > 1
          ? recall(state.events).slice(before.sequence - state.sequence)
          : event
            ? [event]
            : [];
      const events = news.slice(0, -1);
      const keep: Keep = {
        ...(events.length > 0 ? { events } : {}),
        ...(names.length > 0 ? { parts } : {}),
        ...(event ? { event } : {}),
        ...(state.heard === before.heard ? {} : { heard: state.heard }),
      };
      if (Object.keys(keep).length > 0) send(keep);
    },
    set(name, part) {
      extra = { ...extra, [name]: JSON.stringify(part) };
      if (!last || isAwaited || !isKept(last)) return;
      send({ parts: { [name]: extra[name] ?? "" } });
      writeSoon();
    },
    tellAll,
  };
}

function newest({ events }: Daemon): NaughtEvent | undefined {
  return events.fresh.at(-1);
}
