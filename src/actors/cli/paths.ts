/** Paths as they were typed, resolved against the caller's directory. */
import { resolve } from "node:path";
import { UsageError } from "./usage-error.js";
import { quote } from "./words.js";

export const defaultIpcFile = "naught.ipc";

// What a socket's address holds, without its final zero byte.
const longest = process.platform === "linux" ? 107 : 103;

/** Throws a UsageError for a path that no socket can have. */
export function resolveIpcFile(path: string): string {
  const resolved = resolve(path);
  const length = Buffer.byteLength(resolved);
  if (length > longest) {
    throw new UsageError(
      `the path of the ipc-file should be at most ${longest} bytes long, but ${quote(resolved)} has ${length}`,
    );
  }
  return resolved;
}

/** `-` and `/dev/null` are not paths, but say what is to be done with a log. */
export function resolveLogFile(path: string): string {
  return path === "-" || path === "/dev/null" ? path : resolve(path);
}
