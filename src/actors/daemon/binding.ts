/** One attempt to bind what a worker wants to listen on. */
import { readFileSync, statSync } from "node:fs";
import { constants } from "node:os";
import type { HostListen } from "../../protocol/types.js";
import { bindDatagrams } from "../node-datagrams.js";
import {
  bindSocket,
  type ListenQuery,
  readBindError,
  readBound,
  type SocketHandle,
} from "../node-internals.js";
import { bindPath, type SocketPath } from "./socket-path.js";

/** A socket that is bound, and how to bind another one beside it. */
export interface Bound {
  readonly handle: SocketHandle;
  readonly path: SocketPath | null;
  /** With the address and the port that it has got. */
  readonly query: ListenQuery;
}

export interface Refused {
  /** libuv's negative error number. */
  readonly errno: number;
  /** The address that was tried, where none was asked for. */
  readonly address?: string;
}

/** `shares`: the libuv flag that lets further sockets of ours be bound to the same port; 0 where they need not be. */
export function bindWish(wish: HostListen, shares: number): Bound | Refused {
  if (wish.datagram) return bindAddress(wish, 0);
  if (wish.addressType === -1) return bindPath(wish);
  if (wish.address !== null) return bindAddress(wish, shares);
  // As Node does it for a server outside of a cluster: what is not even in use cannot be had with IPv6.
  const both = bindAddress({ ...wish, address: "::", addressType: 6 }, shares);
  if (!("errno" in both) || both.errno === -constants.errno.EADDRINUSE)
    return { ...both, ...nameAny(wish, "::") };
  return {
    ...bindAddress({ ...wish, address: "0.0.0.0", addressType: 4 }, shares),
    ...nameAny(wish, "0.0.0.0"),
  };
}

/** One more socket on the port of `bound`, with the same flag. */
export function bindBeside({ query }: Pick<Bound, "query">): SocketHandle | null {
  const handle = openSocket(query);
  return typeof handle === "number" ? null : handle;
}

function bindAddress(query: ListenQuery, shares: number): Bound | Refused {
  // With SO_REUSEPORT another naught of this user would bind the same port and split the traffic with us unnoticed.
  const probed = shares !== 0 && query.port !== 0 ? openSocket(query) : null;
  if (typeof probed === "number") return { errno: probed };
  probed?.close();
  const shared = { ...query, flags: (query.flags ?? 0) | shares };
  const handle = openSocket(shared);
  if (typeof handle === "number") return { errno: handle };
  const { port = query.port } = readBound(handle) ?? {};
  return { handle, path: null, query: { ...shared, port } };
}

function openSocket(query: ListenQuery): SocketHandle | number {
  const handle = query.datagram ? bindDatagrams(query) : bindSocket(query);
  if (typeof handle === "number") return handle;
  const error = readBindError(handle);
  if (error === 0) return handle;
  handle.close();
  return error;
}

function nameAny({ address, addressType }: HostListen, tried: string): { address?: string } {
  return address === null && addressType !== -1 ? { address: tried } : {};
}

/** A worker that has given up its rights must not get through us what it could not bind by itself. Null: it may. */
export function refuseUnprivileged(wish: HostListen): Refused | null {
  const { port, worker } = wish;
  if (port === null || port <= 0 || process.geteuid?.() !== 0 || port >= readFirstFreePort()) return null;
  // Where there is no /proc it cannot be told.
  const uid = statSync(`/proc/${worker.pid}`, { throwIfNoEntry: false })?.uid ?? 0;
  return uid === 0 ? null : { errno: -constants.errno.EACCES, ...nameAny(wish, "0.0.0.0") };
}

function readFirstFreePort(): number {
  try {
    return Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "latin1"));
  } catch {
    return 1024;
  }
}
