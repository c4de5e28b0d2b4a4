/** Unfinished files that daemons have left beside theirs when they were killed, or the machine lost its power. */
import { lstatSync, readdirSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { isSameProcess } from "../proc.js";
import { stateFile } from "../state-file.js";

/** Removes those of processes that are dead. Called with the lock of the ipc file held. */
export function removeLeftovers({
  ipcFile,
  pidFile,
}: {
  readonly ipcFile: string;
  readonly pidFile: string;
}): void {
  for (const path of [ipcFile, `${ipcFile}.owner`, stateFile(ipcFile), pidFile]) {
    for (const name of list(dirname(path))) {
      const [, pid] = name.startsWith(`${basename(path)}.`) ? (/\.(\d{1,10})$/.exec(name) ?? []) : [];
      const isWhole = name === `${basename(path)}.${pid}`;
      if (pid && isWhole && !isSameProcess(Number(pid), ""))
        rmSync(join(dirname(path), name), { force: true });
    }
  }
  removeAsides(dirname(ipcFile));
}

// The socket of one that was to follow another daemon, and was killed before it stood in its place.
function removeAsides(folder: string): void {
  for (const name of list(folder)) {
    const [, pid] = /^\.(\d{1,10})$/.exec(name) ?? [];
    const path = join(folder, name);
    if (pid && lstatSync(path).isSocket() && !isSameProcess(Number(pid), "")) rmSync(path, { force: true });
  }
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
