/**
 * What one test has for itself: a directory and a loopback address. Both are unique among tests that run at
 * the same time, so no test waits for, or is hurt by, another one.
 */
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Temp {
  readonly dir: string;
  remove(): void;
}

/** The path is short, because a unix socket's may have 107 bytes at most. */
export function makeTemp(): Temp {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "nt-")));
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

/** Below the range of ephemeral ports, so that no client's own port ever stands in the way. */
export const port = 18_080;

let addresses = 0;

/**
 * Linux answers on all of 127/8, so a test takes an address instead of a port: nobody can grab it in between.
 */
export function ownAddress(): string {
  addresses += 1;
  if (addresses > 254) throw new Error("one test file uses more than 254 addresses");
  return `127.${(process.pid >> 8) & 255}.${process.pid & 255}.${addresses}`;
}
