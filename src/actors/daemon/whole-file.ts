/** Small files that are written at once: nobody reads half of one, and a symbolic link is replaced instead of followed. */
import { renameSync, rmSync, writeFileSync } from "node:fs";

export function replaceFile(path: string, text: string, mode: number): void {
  const temporary = writeBeside(path, text, mode);
  try {
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Returns the path of a new file next to `path`. */
export function writeBeside(path: string, text: string, mode: number): string {
  const temporary = `${path}.${process.pid}`;
  // The name can be foretold, so somebody may have put a link there; `wx` does not write through it.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text, { flag: "wx", mode });
  return temporary;
}
