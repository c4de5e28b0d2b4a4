/** The pid file: whom a daemon's signals go to. */
import { lstatSync, readFileSync, rmSync, type Stats, writeFileSync } from "node:fs";
import { isSameProcess } from "../proc.js";
import type { Presence } from "./presence.js";
import { replaceFile } from "./whole-file.js";
import { makeFolder, writing } from "./writing.js";

/** Throws CannotWrite. */
export function writePidFile(path: string): void {
  makeFolder(path);
  writing(path, () => write(path));
}

function write(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  // A device must not be replaced by a file: whoever gives /dev/null wants none.
  if (found?.isCharacterDevice()) return writeFileSync(path, `${process.pid}\n`);
  if (found && !found.isFile() && !found.isSymbolicLink()) throw new Error(`it is ${nameKind(found)}`);
  replaceFile(path, `${process.pid}\n`, 0o644);
}

/** If it is this process's. */
export function removePidFile(path: string): void {
  try {
    if (readPid(path) === process.pid) rmSync(path);
  } catch {
    // Somebody was faster.
  }
}

export function watchPidFile(path: string): Presence {
  return { path, look: () => look(path), restore: () => writePidFile(path) };
}

/** One that names a process which is dead, or nothing at all, is as good as none. */
function look(path: string): ReturnType<Presence["look"]> {
  try {
    if (!lstatSync(path).isFile()) return "here";
    const pid = readPid(path);
    if (pid === process.pid) return "here";
    return pid !== undefined && isSameProcess(pid, "") ? "elsewhere" : "gone";
  } catch (error) {
    const { code = "" } = error as NodeJS.ErrnoException;
    // Who has no descriptor left, say, cannot tell.
    return ["ENOENT", "ENOTDIR"].includes(code) ? "gone" : "here";
  }
}

/** Undefined: it is no file, whose reader could be kept waiting, or no number is in it. */
function readPid(path: string): number | undefined {
  if (!lstatSync(path).isFile()) return undefined;
  const [, digits] = /^(\d{1,10})\s*$/.exec(readFileSync(path, "utf8")) ?? [];
  return Number(digits) > 0 ? Number(digits) : undefined;
}

export function nameKind(found: Stats): string {
  if (found.isDirectory()) return "a directory";
  if (found.isSymbolicLink()) return "a symbolic link";
  return found.isFile() ? "an ordinary file" : "a device or a pipe";
}
