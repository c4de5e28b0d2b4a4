/**
 * The heritage: what of the daemon's state the next daemon needs, if this one dies, as named JSON texts. A later version
 * of naught may read what an earlier one has written, so that everything has a default. Pure.
 */
import type { NaughtEvent } from "../../protocol/types.js";
import { noMemory, remember } from "./memory.js";
import type { Daemon } from "./state.js";

/** Parts by name. */
export type Parts = Readonly<Record<string, string>>;

/** What belongs together changes together. */
const groups = {
  start: ["start", "stopDrain"],
  stop: ["life", "stopDue"],
  serving: ["serving", "servingSince"],
  settled: ["settled", "deaths"],
  workers: ["workers", "strays", "newestWorker", "lastWorker", "lastGeneration", "counts", "waitingFor"],
  master: ["masters", "masterDeaths", "isWhole"],
} as const satisfies Readonly<Record<string, readonly (keyof Daemon)[]>>;

/** The parts that are different from those of `before`; all without it. */
export function packState(state: Daemon, before?: Daemon): Parts {
  const parts: Record<string, string> = {};
  for (const [name, keys] of Object.entries(groups)) {
    if (before && keys.every((key) => state[key] === before[key])) continue;
    parts[name] = JSON.stringify(Object.fromEntries(keys.map((key) => [key, flatten(state[key])])));
  }
  return parts;
}

/** Only of a server that has started: nobody is to bring back one that has not, or of which nothing is left. */
export function isKept({ life, startCall }: Daemon): boolean {
  return (life === "running" || life === "stopping") && startCall === null;
}

/** The state of a daemon whose master lives, and which nobody has called yet. */
export function unpackState(parts: Parts, events: readonly NaughtEvent[], empty: Daemon): Daemon {
  const known: Record<string, unknown> = {};
  for (const [name, keys] of Object.entries(groups)) {
    const part = JSON.parse(parts[name] ?? "{}") as Record<string, unknown>;
    for (const key of keys) {
      if (part[key] === undefined) continue;
      known[key] = empty[key] instanceof Map ? new Map(part[key] as [unknown, unknown][]) : part[key];
    }
  }
  return {
    ...empty,
    ...(known as Partial<Daemon>),
    life: known.life === "stopping" ? "stopping" : "running",
    events: events.reduce(remember, noMemory),
    sequence: events.at(-1)?.sequence ?? 0,
  };
}

function flatten(value: unknown): unknown {
  return value instanceof Map ? [...value] : value;
}
