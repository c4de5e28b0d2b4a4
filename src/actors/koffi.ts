/** The package koffi, through which C functions are called that Node has no words for. Installed by whoever needs it. */
import { createRequire } from "node:module";
import { join } from "node:path";

/** What is used of it. */
export interface Koffi {
  load(library: string | null): { func(signature: string): (...args: unknown[]) => unknown };
  array(type: string, length: number): unknown;
  decode(pointer: unknown, type: unknown): ArrayLike<number>;
  errno(): number;
}

/** Undefined where it is not installed, or not for this machine. */
export function loadKoffi(): Koffi | undefined {
  try {
    // Looked for beside the programs, wherever the code that asks for it has been bundled into.
    return createRequire(join(import.meta.dirname, "naught.cjs"))("koffi") as Koffi;
  } catch {
    return undefined;
  }
}
