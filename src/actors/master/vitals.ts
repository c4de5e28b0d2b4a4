/** What a process does while it says nothing, as /proc tells: whether it runs, waits, is stopped, or is not let run. */

import { readFileSync } from "node:fs";
import { now } from "../../clock.js";

export interface Vitals {
  /** How much of the time since the last look counts as silence: less for a process that was kept from running. */
  readonly share: number;
  /** In words. */
  readonly doing: string;
}

interface Look {
  readonly state: string;
  /** Processor time in hundredths of a second. */
  readonly ticks: number;
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
}

/** Returns a function that compares a process with how it was at the call before. */
export function watchVitals(pid: number, read = readStat): () => Vitals {
  let before: Look | undefined;
  return () => {
    const now = look(pid, read);
    const vitals = now && before ? compare(before, now) : unknown;
    before = now;
    return vitals;
  };
}

const unknown: Vitals = { share: 1, doing: "what it does cannot be told" };

function look(pid: number, read: (pid: number) => string | undefined): Look | undefined {
  const stat = read(pid);
  if (stat === undefined) return undefined;
  // See proc(5); in the program's name, which comes second, there may be anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", ticks: Number(fields[11]) + Number(fields[12]), at: now() };
}

function compare(before: Look, { state, ticks, at }: Look): Vitals {
  if (state === "T") return { share: 1, doing: "it is stopped" };
  // A debugger or tracer holds it.
  if (state === "t") return { share: 0, doing: "it is being traced" };
  const used = Math.max(0, ticks - before.ticks) / 100 / Math.max(0.001, (at - before.at) / 1000);
  const busy = `using ${Math.min(100, Math.round(used * 100))} % of a processor`;
  // One that wants to run and is not let is no slower than its machine.
  const starved = state === "R" && used < 0.5;
  return { share: starved ? used : 1, doing: used < 0.05 && state !== "R" ? "waiting" : busy };
}

function readStat(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return undefined;
  }
}
