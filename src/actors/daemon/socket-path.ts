/**
 * The name of a unix socket in the file system. Applications like to remove it: before they listen, as they would have
 * to without naught, and as they end; and with it they would cut off their siblings. So the socket has a second name
 * beside the first, by which the first is made again.
 */
import { chmodSync, linkSync, lstatSync, type Stats, unlinkSync } from "node:fs";
import { constants } from "node:os";
import { basename, dirname, join } from "node:path";
import type { HostListen } from "../../protocol/types.js";
import { bindSocket } from "../node-internals.js";
import type { Bound, Refused } from "./binding.js";

export interface SocketPath {
  /** Puts the name back if it was removed; false when something else stands there, or the socket has no name any more. */
  restore(): boolean;
  /** Removes the name, if it is this socket's. To be called before the socket is closed, which removes the other one. */
  remove(): void;
  readonly kept: KeptPath;
}

/** What another daemon has to know of it. */
export interface KeptPath {
  readonly name: string;
  /** Its second name; null where it has none. */
  readonly twin: string | null;
  readonly inode: number;
}

/** What a socket's address has room for. */
const longestPath = process.platform === "linux" ? 107 : 103;

export function bindPath(wish: HostListen): Bound | Refused {
  const { address: name } = wish;
  if (name === null || name.startsWith("\0")) return bindPlainly(wish);
  if (inspect(name)) return { errno: -constants.errno.EADDRINUSE };
  const twin = join(dirname(name), `.${basename(name)}~`);
  // The remains of a daemon that was killed.
  if (inspect(twin)?.isSocket()) attempt(() => unlinkSync(twin));
  if (Buffer.byteLength(twin) > longestPath || inspect(twin)) return bindPlainly(wish);
  const handle = bindSocket({ ...wish, address: twin });
  if (typeof handle === "number") return { errno: handle };
  setMode(twin, wish);
  const inode = inspect(twin)?.ino;
  const linked = attempt(() => linkSync(twin, name));
  if (linked !== null || inode === undefined) {
    handle.close();
    return linked === "EEXIST" ? { errno: -constants.errno.EADDRINUSE } : bindPlainly(wish);
  }
  return { handle, query: wish, path: openPath({ name, twin, inode }) };
}

/** The path of a socket that is bound already. */
export function openPath(kept: KeptPath): SocketPath {
  const { name, twin, inode } = kept;
  const isOurs = (path: string): boolean => inspect(path)?.ino === inode;
  return {
    kept,
    restore() {
      if (twin !== null && !inspect(name) && isOurs(twin)) attempt(() => linkSync(twin, name));
      return isOurs(name);
    },
    remove() {
      if (twin !== null && isOurs(name)) attempt(() => unlinkSync(name));
    },
  };
}

// Where there is no room for a second name, or no second name to be had. libuv removes the only one as it closes.
function bindPlainly(wish: HostListen): Bound | Refused {
  const handle = bindSocket(wish);
  if (typeof handle === "number") return { errno: handle };
  const name = wish.address ?? "";
  const found = name.startsWith("\0") ? undefined : inspect(name);
  if (!found) return { handle, query: wish, path: null };
  setMode(name, wish);
  return { handle, query: wish, path: openPath({ name, twin: null, inode: found.ino }) };
}

// As Node's own `listen` does it for a server that is no worker.
function setMode(path: string, { readableAll, writableAll }: HostListen): void {
  const mode = (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0);
  const before = inspect(path)?.mode;
  if (mode !== 0 && before !== undefined) attempt(() => chmodSync(path, (before & 0o777) | mode));
}

function inspect(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined;
  }
}

/** Returns the error's code, or null. */
function attempt(action: () => void): string | null {
  try {
    action();
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  }
}
