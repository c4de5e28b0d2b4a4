/**
 * The first process of a container becomes the parent of every orphan in it, and has to bury those that end; Node
 * buries only what it spawned itself.
 */
import { readdirSync, readFileSync } from "node:fs";
import { loadKoffi } from "../koffi.js";

/** Milliseconds between two looks. */
const interval = 50;
const noHang = 1;

/** Buries orphans from now on, or reports that it cannot. Returns a function that ends it. */
export function buryOrphans(report: (line: string) => void): () => void {
  const wait = findWait();
  if (!wait) {
    report(
      "naught is the first process here (PID 1) and cannot bury orphans: run it under an init (docker run --init, tini), or install the npm package koffi beside it",
    );
    return () => {};
  }
  let timer: NodeJS.Timeout | undefined;
  // Node buries its own children as soon as it comes to it, which it does between two looks: what is dead in both of
  // them is nobody's but ours. To bury one of Node's would hide its exit from us.
  const look = (before: ReadonlySet<number>): void => {
    const dead = listDead();
    for (const pid of dead) if (before.has(pid)) wait(pid);
    const fresh = new Set(dead.filter((pid) => !before.has(pid)));
    timer = fresh.size > 0 ? setTimeout(look, interval, fresh).unref() : undefined;
  };
  const listen = (): void => {
    timer ??= setTimeout(look, interval, new Set<number>()).unref();
  };
  process.on("SIGCHLD", listen);
  // Those that died before anybody listened.
  listen();
  return () => {
    process.off("SIGCHLD", listen);
    clearTimeout(timer);
  };
}

function findWait(): ((pid: number) => void) | undefined {
  try {
    const wait = loadKoffi()?.load(null).func("int waitpid(int pid, void *status, int options)");
    return wait && ((pid) => void wait(pid, null, noHang));
  } catch {
    return undefined;
  }
}

/** The dead children of this process. */
function listDead(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(isDeadChild);
}

function isDeadChild(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The name comes second, in brackets, and may itself have brackets and spaces in it.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" && Number(parent) === process.pid;
  } catch {
    return false;
  }
}
