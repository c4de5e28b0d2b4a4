/**
 * Whether a file may be written to within a turn of the event loop. That is quicker, and leaves a killed daemon nothing
 * to lose; but a disk that makes it wait would make everybody else wait, too. Owns what is known of the disk.
 */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { now as readClock } from "../../clock.js";

export interface Haste {
  isSafe(): boolean;
  /** Runs a write, and remembers when it was slow. */
  measure<T>(write: () => T): T;
  measureLater<T>(write: () => Promise<T>): Promise<T>;
}

const SLOW_MS = 25;
/** Once may be by chance: the processor was somebody else's, perhaps. Each time more it is for twice as long. */
const WARY_MS = 1000;
const LONGEST_WARY_MS = 30_000;
/** After so long a time it is the first time again. */
const FORGET_MS = 60_000;

/** File systems of this machine's own, by their numbers in statfs(2): ext, xfs, btrfs, tmpfs, overlay, zfs, f2fs, bcachefs. */
const LOCAL = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0xca451a4e,
]);

export async function createHaste(path: string, now: () => number = readClock): Promise<Haste> {
  const type = await statfs(dirname(path)).then(
    (found) => found.type,
    () => undefined,
  );
  const isLocal = type !== undefined && LOCAL.has(type >>> 0);
  let wary = 0;
  let waryUntil = Number.NEGATIVE_INFINITY;

  function note(began: number): void {
    const ended = now();
    if (ended - began <= SLOW_MS) return;
    // What is slow while we are wary anyhow is the same event.
    const isAgain = began >= waryUntil && began < waryUntil + FORGET_MS;
    if (isAgain) wary = Math.min(2 * wary, LONGEST_WARY_MS);
    else if (began >= waryUntil) wary = WARY_MS;
    waryUntil = ended + wary;
  }

  return {
    isSafe: () => isLocal && now() >= waryUntil,
    measure(write) {
      const began = now();
      try {
        return write();
      } finally {
        note(began);
      }
    },
    async measureLater(write) {
      const began = now();
      try {
        return await write();
      } finally {
        note(began);
      }
    },
  };
}
