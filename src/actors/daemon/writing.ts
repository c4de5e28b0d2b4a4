/** Writing what a daemon is found by: whatever goes wrong is one error, which names the path. */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { NaughtError } from "../../protocol/errors.js";
import { explain } from "./launch.js";

/** Throws CannotWrite. */
export function writing<T>(path: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/** Throws CannotWrite. */
export function makeFolder(path: string): void {
  writing(path, () => mkdirSync(dirname(path), { recursive: true }));
}

export function cannotWrite(path: string, error: unknown): NaughtError {
  return new NaughtError("CannotWrite", `cannot write ${path}: ${explain(error)}`);
}
