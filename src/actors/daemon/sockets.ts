/** The daemon's table of listening sockets: each is bound once and outlives every worker that accepts on it. */
import { chmodSync, lstatSync } from "node:fs";
import { constants } from "node:os";
import type { Handle } from "../../protocol/contract.js";
import type { Balance, HostListen, Listened, WorkerRef } from "../../protocol/types.js";
import { bindSocket, canBind, readBindError, type SocketHandle } from "../node-internals.js";

export interface Sockets {
  /** The answer to a worker that wants to listen, with the socket unless it is an error. */
  listen(wish: HostListen): { readonly listened: Listened; readonly handle?: Handle };
  /** A worker has closed a socket. */
  unlisten(worker: WorkerRef, key: string): void;
  /** A worker is gone, and has let go of all it had. */
  forget(worker: WorkerRef): void;
  /** Whether the serving generation has every worker online. At rest, what nobody uses is given up. */
  setAtRest(atRest: boolean): void;
  close(): void;
}

interface Entry {
  readonly key: string;
  readonly handle: SocketHandle;
  readonly users: Set<string>;
  /** Inherited sockets are not ours to give up. */
  readonly inherited: boolean;
  /** A unix socket's path, and the inode by which we know it to be ours. */
  readonly path: { readonly name: string; readonly inode: number } | null;
}

/** A worker's numbers of the sockets that naught was given begin here: 3 is its channel. */
const firstWorkerFd = 4;

/** `released` is told the key of each socket that is given up. */
export function createSockets(
  { listenFds, balance }: { listenFds: readonly number[]; balance: Balance },
  released: (key: string) => void,
): Sockets {
  /** By what was asked for. */
  const entries = new Map<string, Entry>();
  const aside = new Set<Entry>();
  const inherited = listenFds.map((fd) => bindSocket({ address: null, port: null, addressType: null, fd }));
  let atRest = false;
  let serial = 0;

  function listen(wish: HostListen): { listened: Listened; handle?: Handle } {
    if (balance === "round-robin" || !canBind()) return { listened: { errno: 0, key: "", native: true } };
    const found = find(wish);
    if (typeof found === "number") return { listened: { errno: found, key: "", native: false } };
    found.users.add(nameUser(wish.worker));
    return { listened: { errno: 0, key: found.key, native: false }, handle: found.handle };
  }

  function find(wish: HostListen): Entry | number {
    const given = findInherited(wish);
    if (given !== null) return given;
    const { address, port, addressType, flags = 0, index } = wish;
    const wanted = [address ?? "", port, addressType, flags, index].join("|");
    const known = entries.get(wanted);
    if (known && isIntact(known)) return known;
    if (known) aside.add(known);
    return bind(wish, wanted);
  }

  function findInherited({ fd, address, port, index }: HostListen): Entry | number | null {
    let at = -1;
    if (fd !== undefined) {
      at = fd - firstWorkerFd;
      if (!(at in inherited)) return -constants.errno.EBADF;
    } else if (index === 0)
      at = inherited.findIndex((handle) => typeof handle !== "number" && isBoundTo(handle, address, port));
    const handle = inherited[at];
    if (handle === undefined || typeof handle === "number") return handle ?? null;
    const wanted = `fd|${at}`;
    return entries.get(wanted) ?? add(wanted, { handle, inherited: true, path: null });
  }

  // An app that removes its path before it listens removes it under its siblings: they keep the socket they accept on,
  // and the path is bound anew.
  function bind(wish: HostListen, wanted: string): Entry | number {
    const handle = bindSocket(wish);
    if (typeof handle === "number") return handle;
    const error = readBindError(handle);
    if (error === 0) return add(wanted, { handle, inherited: false, path: openPath(wish) });
    handle.close();
    return error;
  }

  // Its key is never used again, so that no copy of an earlier socket is taken for it.
  function add(wanted: string, entry: Pick<Entry, "handle" | "inherited" | "path">): Entry {
    serial += 1;
    const added = { ...entry, key: `${wanted}#${serial}`, users: new Set<string>() };
    entries.set(wanted, added);
    return added;
  }

  // One that was set aside is closed only at the end: libuv removes the path as it closes, whosever that is by then.
  function giveUp(): void {
    if (!atRest) return;
    for (const [wanted, { key, handle, users, inherited: given }] of entries) {
      if (users.size > 0 || given) continue;
      entries.delete(wanted);
      handle.close();
      released(key);
    }
  }

  const listAll = (): Entry[] => [...entries.values(), ...aside];
  return {
    listen,
    unlisten(worker, key) {
      for (const entry of listAll()) if (entry.key === key) entry.users.delete(nameUser(worker));
      giveUp();
    },
    forget(worker) {
      for (const entry of listAll()) entry.users.delete(nameUser(worker));
      giveUp();
    },
    setAtRest(rest) {
      atRest = rest;
      giveUp();
    },
    close() {
      for (const { handle } of listAll()) handle.close();
      entries.clear();
      aside.clear();
    },
  };
}

// With the pid, because a new master counts its workers from 1 again.
function nameUser({ id, pid }: WorkerRef): string {
  return `${id} ${pid}`;
}

function isBoundTo(handle: SocketHandle, address: string | null, port: number | null): boolean {
  const bound: { address?: string; port?: number } = {};
  if (!port || handle.getsockname?.(bound) !== 0 || bound.port !== port) return false;
  return (
    bound.address === address || (address === null && (bound.address === "::" || bound.address === "0.0.0.0"))
  );
}

function openPath({ address, addressType, readableAll, writableAll }: HostListen): Entry["path"] {
  if (addressType !== -1 || address === null || address.startsWith("\0")) return null;
  // As Node's own `listen` does it for a server that is no worker.
  const mode = (readableAll ? 0o444 : 0) | (writableAll ? 0o222 : 0);
  const { ino, mode: before } = lstatSync(address);
  if (mode !== 0) chmodSync(address, (before & 0o777) | mode);
  return { name: address, inode: ino };
}

function isIntact({ path }: Entry): boolean {
  return path === null || lstatSync(path.name, { throwIfNoEntry: false })?.ino === path.inode;
}
