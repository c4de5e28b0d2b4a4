/** What the simulated processes have in common, and what is true of the whole tree. */
import type { Deploy, ResolvedLaunch, Start } from "../../src/protocol/types.js";
import type { Quality, Scenario } from "./tree-adversary.js";
import type { Book } from "./tree-book.js";
import type { Brain } from "./tree-brain.js";
import type { DaemonProgram } from "./tree-daemon.js";
import type { Machine, Process } from "./tree-machine.js";

export interface Tree {
  readonly scenario: Scenario;
  readonly machine: Machine;
  readonly brain: Brain;
  readonly book: Book;
  /** What is left when processes die; the lock is free when its holder does. */
  readonly files: { lock: Process | null; socket: DaemonProgram | null; state: string | null };
  /** How many more daemons cannot be started in the place of a dead one. */
  failingHeirs: number;
  /** Milliseconds by which the time of day is wrong. */
  wall: number;
  find(pid: number): Process | undefined;
  /** Milliseconds for the next worker. */
  nextNature(): { readonly boot: number; readonly farewell: number };
  /** For whoever reads a history that failed. */
  readonly tell: (who: Process, what: { readonly type: string }) => void;
}

const epoch = Date.parse("2026-01-01T00:00:00.000Z");

/** The time of day, in ISO 8601. */
export function readTime({ machine, wall }: Tree): string {
  return new Date(epoch + Math.round(machine.clock.now) + wall).toISOString();
}

export function makeStart({ workerCount, isKilling }: Scenario): Start {
  return {
    ipcFile: "/run/naught.ipc",
    pidFile: "/run/naught.pid",
    logs: { log: "/dev/null", stdout: "/dev/null", stderr: "/dev/null", maxSize: 1000 },
    workerCount,
    daemonMode: true,
    removeOldIpc: false,
    launch: { script: "/first/good", args: [], nodeArgs: [], env: {}, cwd: "/" },
    drain: { grace: 1, timeout: 2, ...(isKilling ? { kill: 3 } : {}) },
    listenFds: [],
  };
}

export function makeDeploy(id: string, quality: Quality, workerCount: number): Deploy {
  return { id, script: `/${id}/${quality}`, workerCount, ...(quality === "hangs" ? { timeout: 5 } : {}) };
}

export function readQuality({ script }: Pick<ResolvedLaunch, "script">): Quality {
  return script.slice(script.lastIndexOf("/") + 1) as Quality;
}
