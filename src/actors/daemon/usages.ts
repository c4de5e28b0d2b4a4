/** What naught's processes cost: memory and processor time of each, looked up in /proc every few seconds, in this one place. */

import { readFileSync } from "node:fs";
import { now } from "../../clock.js";
import type { Usage } from "../../protocol/types.js";

export interface Usages {
  follow(pid: number): void;
  forget(pid: number): void;
  /** Null for a process that was not looked at yet, or cannot be. */
  of(pid: number): Usage | null;
  /** Forgets all. */
  close(): void;
}

/** What /proc tells of a process at one moment. */
export interface ProcessStat {
  /** Of processor time, in hundredths of a second. */
  readonly ticks: number;
  /** Pages of resident memory. */
  readonly pages: number;
  /** When it began, in ticks: another process with the same number began at another time. */
  readonly began: string;
}

interface Sample extends ProcessStat {
  /** Milliseconds of a monotonic clock. */
  readonly at: number;
  readonly cpu: number | null;
}

/** Milliseconds. */
const every = 5000;

export function createUsages(
  read: (pid: number) => ProcessStat | undefined = readStat,
  pageSize = findPageSize(),
): Usages {
  const samples = new Map<number, Sample | undefined>();
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    for (const [pid, before] of samples) {
      const stat = read(pid);
      const at = now();
      if (!stat) samples.set(pid, undefined);
      else samples.set(pid, { ...stat, at, cpu: compare(before, stat, at) });
    }
  }

  return {
    follow(pid) {
      if (pid === 0 || samples.has(pid)) return;
      samples.set(pid, undefined);
      timer ??= setInterval(look, every).unref();
    },
    forget: (pid) => void samples.delete(pid),
    of(pid) {
      const sample = samples.get(pid);
      if (!sample) return null;
      const age = Math.max(0, (now() - sample.at) / 1000);
      return { memory: sample.pages * pageSize, cpu: sample.cpu, age };
    },
    close() {
      clearInterval(timer);
      timer = undefined;
      samples.clear();
    },
  };
}

// A tick is a hundredth of a second on every Linux that Node runs on, so ticks per second are percent.
function compare(before: Sample | undefined, { began, ticks }: ProcessStat, at: number): number | null {
  if (before?.began !== began) return null;
  const percent = (ticks - before.ticks) / ((at - before.at) / 1000);
  return Math.max(0, Math.round(percent * 10) / 10);
}

function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return undefined;
  }
}

/** See proc(5). The second field is the program's name, in which there may be anything, brackets and spaces too. */
export function parseStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [user, system, began, pages] = [fields[11], fields[12], fields[19], fields[21]];
  if (began === undefined || pages === undefined) return undefined;
  return { ticks: Number(user) + Number(system), pages: Number(pages), began };
}

// Node does not tell it, but its own memory in bytes, which is a number of pages.
function findPageSize(): number {
  const own = readStat(process.pid);
  if (!own) return 4096;
  return 2 ** Math.round(Math.log2(process.memoryUsage.rss() / own.pages));
}
