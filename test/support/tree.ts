/** The processes of one running server, and what each has of the world around it. */
import { readFileSync, readlinkSync } from "node:fs";
import type { Naught } from "./naught.js";
import { until } from "./wait.js";

export interface Tree {
  readonly daemon: number;
  readonly master: number;
  readonly workers: readonly number[];
}

/** Resolves when as many workers as said live under one master. */
export function findTree(naught: Naught, count: number): Promise<Tree> {
  return until(`a master with ${count} workers`, () => {
    // While there is none yet, the harness would throw.
    const daemon = Number(naught.read("naught.pid"));
    const workers = naught.workers().map(({ pid }) => pid);
    const parents = naught.processes().filter(({ pid }) => workers.includes(pid));
    const [master, ...others] = new Set(parents.map(({ parent }) => parent));
    const isChild = naught.processes().some(({ pid, parent }) => pid === master && parent === daemon);
    return (
      master !== undefined &&
      others.length === 0 &&
      isChild &&
      workers.length === count && { daemon, master, workers }
    );
  });
}

/** The master's process id, also when it has no worker yet. */
export function findMaster(naught: Naught): Promise<number> {
  return until(
    "a master",
    () => naught.processes().find(({ parent }) => parent === Number(naught.read("naught.pid")))?.pid,
  );
}

/** proc(5): the fields after the command's name. */
export function readSession(pid: number): { readonly session: number; readonly terminal: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { session: Number(fields[3]), terminal: Number(fields[4]) };
}

export function readCwd(pid: number): string {
  return readlinkSync(`/proc/${pid}/cwd`);
}
