/** Waiting, for a bounded time, until something is over. */

import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { now } from "../../clock.js";

/** Whether the promise settled within so many milliseconds. */
export async function settlesWithin(milliseconds: number, promise: Promise<unknown>): Promise<boolean> {
  const stop = new AbortController();
  const settled = promise.then(
    () => true,
    () => true,
  );
  const expired = sleep(milliseconds, false, { signal: stop.signal }).catch(() => false);
  const result = await Promise.race([settled, expired]);
  stop.abort();
  return result;
}

/** Returns early when the process, which is not a child of this one, is gone. */
export async function awaitProcessEnd(pid: number, milliseconds: number): Promise<void> {
  const deadline = now() + milliseconds;
  while (isAlive(pid) && now() < deadline) await sleep(10);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return !isZombie(pid);
}

// In a container whose first process adopts orphans without burying them, a dead daemon stays on the list for ever.
function isZombie(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return /^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}
