/** Finds out beforehand whether files can be written, so that a start that must fail leaves nothing behind. */
import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { NaughtError } from "../../protocol/errors.js";
import { explain } from "./launch.js";

/** Throws CannotWrite, naming the first that cannot be written or made. `-` and `/dev/null` are no files. */
export function checkWritable(paths: readonly string[]): void {
  for (const path of paths) {
    if (path === "-" || path === "/dev/null") continue;
    const reason = findObstacle(path);
    if (reason) throw new NaughtError("CannotWrite", `cannot write ${path}: ${reason}`);
  }
}

function findObstacle(path: string): string | null {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) return "it is a directory";
    if (found) accessSync(path, constants.W_OK);
    else accessSync(findAncestor(path), constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return explain(error);
  }
}

/** The directory in which the path, or the first of its directories that is missing, would be made. */
function findAncestor(path: string): string {
  const parent = dirname(path);
  const found = statSync(parent, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) throw new Error(`${parent} is not a directory`);
  return found || parent === path ? parent : findAncestor(parent);
}
