/** The daemon's table of listening sockets: each is bound once and outlives every worker that accepts on it. */
import { chmodSync, lstatSync } from "node:fs";
import { constants } from "node:os";
import type { Handle } from "../../protocol/contract.js";
import type { Balance, HostListen, Listened, WorkerRef } from "../../protocol/types.js";
import {
  bindSocket,
  canBind,
  canSharePort,
  type ListenQuery,
  readBindError,
  readBound,
  reusePort,
  type SocketHandle,
} from "../node-internals.js";
import { type Address, createAddress, type Neighbours, type Queue } from "./address.js";

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
  readonly address: Address;
  /** Inherited sockets are not ours to give up. */
  readonly inherited: boolean;
  /** A unix socket's path, and the inode by which we know it to be ours. */
  readonly path: { readonly name: string; readonly inode: number } | null;
}

/** A worker's numbers of the sockets that naught was given begin here: 3 is its channel. */
const firstWorkerFd = 4;

/** `release` is told the key of each socket that is given up. */
export function createSockets(
  { listenFds, balance }: { listenFds: readonly number[]; balance: Balance },
  { release, ...neighbours }: Neighbours & { release(key: string): void },
): Sockets {
  /** By what was asked for. */
  const entries = new Map<string, Entry>();
  const aside = new Set<Entry>();
  const inherited = listenFds.map((fd) => bindSocket({ address: null, port: null, addressType: null, fd }));
  const perSlot = balance === "slots" && canBind() && canSharePort();
  let atRest = false;
  let serial = 0;

  function listen(wish: HostListen): { listened: Listened; handle?: Handle } {
    if (balance === "round-robin" || !canBind()) return { listened: { errno: 0, key: "", native: true } };
    const found = find(wish);
    if (typeof found === "number") return { listened: { errno: found, key: "", native: false } };
    const { key, handle } = found.address.join(wish.worker);
    return { listened: { errno: 0, key, native: false }, handle };
  }

  function find(wish: HostListen): Entry | number {
    const given = findInherited(wish);
    if (given !== null) return given;
    const { address, port, addressType, flags = 0, index } = wish;
    const wanted = [address ?? "", port, addressType, flags, index].join("|");
    const known = entries.get(wanted);
    if (known && isIntact(known)) return known;
    // An app that removes its path before it listens removes it under its siblings: they keep the socket they accept
    // on, and the path is bound anew.
    if (known) aside.add(known);
    return bind(wish, wanted);
  }

  function findInherited({ fd, address, port, index }: HostListen): Entry | number | null {
    let at = -1;
    if (fd !== undefined) {
      at = fd - firstWorkerFd;
      if (!(at in inherited)) return -constants.errno.EBADF;
    } else if (index === 0) {
      at = inherited.findIndex((handle) => typeof handle !== "number" && isBoundTo(handle, address, port));
    }
    const handle = inherited[at];
    if (handle === undefined || typeof handle === "number") return handle ?? null;
    const wanted = `fd|${at}`;
    const address_ = (): Address => createAddress(name(wanted, handle), null, neighbours);
    return entries.get(wanted) ?? add(wanted, { address: address_(), inherited: true, path: null });
  }

  function bind(wish: HostListen, wanted: string): Entry | number {
    const shares = perSlot && wish.addressType !== -1;
    // With SO_REUSEPORT another naught of this user would bind the same port and split the traffic with us unnoticed.
    const probed = shares && wish.port !== 0 ? open(wish) : null;
    if (typeof probed === "number") return probed;
    probed?.close();
    const handle = open(shares ? { ...wish, flags: (wish.flags ?? 0) | reusePort } : wish);
    if (typeof handle === "number") return handle;
    const openMore = shares ? () => openQueue({ ...wish, ...pickPort(handle) }, wanted) : null;
    const address = createAddress(name(wanted, handle), openMore, neighbours);
    return add(wanted, { address, inherited: false, path: openPath(wish) });
  }

  function openQueue(wish: ListenQuery, wanted: string): Queue | null {
    const handle = open({ ...wish, flags: (wish.flags ?? 0) | reusePort });
    return typeof handle === "number" ? null : name(wanted, handle);
  }

  function name(wanted: string, handle: SocketHandle): Queue {
    serial += 1;
    return { key: `${wanted}#${serial}`, handle };
  }

  function add(wanted: string, entry: Entry): Entry {
    entries.set(wanted, entry);
    return entry;
  }

  // One that was set aside is closed only at the end: libuv removes the path as it closes, whosever that is by then.
  function giveUp(): void {
    if (!atRest) return;
    for (const [wanted, { address, inherited: given }] of entries) {
      if (address.isUsed || given) continue;
      entries.delete(wanted);
      address.close();
      for (const key of address.keys) release(key);
    }
  }

  const listAll = (): Entry[] => [...entries.values(), ...aside];
  return {
    listen,
    unlisten(worker, key) {
      for (const { address } of listAll()) address.leave(worker, key);
      giveUp();
    },
    forget(worker) {
      for (const { address } of listAll()) address.leave(worker);
      giveUp();
    },
    setAtRest(rest) {
      atRest = rest;
      giveUp();
    },
    close() {
      for (const { address } of listAll()) address.close();
      entries.clear();
      aside.clear();
    },
  };
}

function open(query: ListenQuery): SocketHandle | number {
  const handle = bindSocket(query);
  if (typeof handle === "number") return handle;
  const error = readBindError(handle);
  if (error === 0) return handle;
  handle.close();
  return error;
}

function pickPort(handle: SocketHandle): { port?: number } {
  const { port } = readBound(handle) ?? {};
  return port === undefined ? {} : { port };
}

function isBoundTo(handle: SocketHandle, address: string | null, port: number | null): boolean {
  const bound = readBound(handle);
  if (!port || bound?.port !== port) return false;
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
