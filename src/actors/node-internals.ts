/**
 * The one place that reaches into Node where it has no public way. Each function throws, or returns null, in words
 * when a Node version has changed what it relies on; test/unit/node-internals.test.ts holds them against each Node.
 */
import cluster from "node:cluster";
import { writeSync } from "node:fs";
import net from "node:net";
import { constants } from "node:os";
import type { Readable } from "node:stream";
import type { Handle } from "../protocol/contract.js";
import { isClosedSocket, isDatagramSocket } from "./node-datagrams.js";

/** What Node's listening handles (TCPWrap, PipeWrap) have in common. */
export interface SocketHandle {
  close(closed?: () => void): void;
  unref?(): void;
  /** TCP only. Fills in address, family and port; returns 0 or a negative error number. */
  getsockname?(out: { address?: string; port?: number }): number;
}

/** What node:cluster asks its primary for on behalf of a server that listens. */
export interface ListenQuery {
  readonly address: string | null;
  readonly port: number | null;
  readonly addressType: number | string | null;
  readonly fd?: number;
  readonly flags?: number;
  readonly backlog?: number | false;
  readonly readableAll?: boolean;
  readonly writableAll?: boolean;
  /** Ours: a socket of datagrams, see `node-datagrams.ts`. */
  readonly datagram?: boolean;
}

export type ListenAnswer = (errno: number, handle: Handle | null) => void;
type GetServer = (server: object, query: ListenQuery, answer: ListenAnswer) => void;

/** Whether this Node lets us bind a listening socket without listening on it, and hand it to another process. */
export function canBind(): boolean {
  return typeof readInternal(net, "_createServerHandle") === "function";
}

/** Binds a listening socket. Returns a negative error number when that is impossible; the bind may also fail later: see `readBindError`. */
export function bindSocket({ address, port, addressType, fd, flags }: ListenQuery): SocketHandle | number {
  const create = readInternal(net, "_createServerHandle") as (
    address: string | null,
    port: number | null,
    addressType: number | string | null,
    fd?: number,
    flags?: number,
  ) => SocketHandle | number;
  return create(address, port, addressType, fd, flags);
}

/** libuv's UV_TCP_REUSEPORT, which Node's own binding takes among its flags from 22.12 on. */
export const reusePort = 2;

/**
 * Whether several sockets may listen on one port, so that the kernel spreads connections over them, and one server
 * can accept from two of them. The first has to listen before the second is bound: until then SO_REUSEADDR, which
 * libuv sets, allows it, too.
 */
export function canSharePort(): boolean {
  if (process.platform !== "linux") return false;
  const one = bindSocket({ address: "127.0.0.1", port: 0, addressType: 4, flags: reusePort });
  if (typeof one === "number") return false;
  const { port = 0 } = readBound(one) ?? {};
  const server = net.createServer();
  server.on("error", () => {});
  server.listen(one);
  const other = bindSocket({ address: "127.0.0.1", port, addressType: 4, flags: reusePort });
  try {
    return typeof other !== "number" && readBindError(other) === 0 && acceptAlso(server, other, 1) === 0;
  } finally {
    server.close();
    if (typeof other !== "number") other.close();
  }
}

/** What a TCP socket is bound to; null for a unix socket. */
export function readBound(handle: SocketHandle): { address?: string; port?: number } | null {
  const bound: { address?: string; port?: number } = {};
  return handle.getsockname?.(bound) === 0 ? bound : null;
}

/** Makes `server`, which listens already, accept from one more socket, too. Returns 0 or a negative error number. */
export function acceptAlso(server: net.Server, extra: SocketHandle, backlog: number): number {
  const own = readInternal(server, "_handle") as object | null;
  if (!own) return -constants.errno.EINVAL;
  const owner = Object.getOwnPropertySymbols(own).find(({ description }) => description === "owner_symbol");
  const onconnection = readInternal(own, "onconnection");
  const listen = readInternal(extra, "listen") as ((backlog: number) => number) | undefined;
  if (!owner || typeof onconnection !== "function" || typeof listen !== "function") {
    throw new Error(
      "this Node's listening handles have another shape than owner_symbol, onconnection, listen",
    );
  }
  Object.assign(extra, { onconnection, [owner]: server });
  // Whether the process is kept alive is for the server's own socket to say.
  extra.unref?.();
  return Reflect.apply(listen, extra, [backlog]);
}

/**
 * Lets a server get `handle` without accepting from it: until the returned function is called, which returns 0 or a
 * negative error number, the kernel is not told to listen. Everything else, `address()` say, is as if it did.
 * A socket of datagrams is not read from.
 */
export function withholdListen(handle: SocketHandle): () => number {
  const name = readInternal(handle, "recvStart") === undefined ? "listen" : "recvStart";
  const listen = readInternal(handle, name);
  if (typeof listen !== "function") throw new Error("this Node's listening handles have no listen");
  let asked: readonly unknown[] | undefined;
  Object.assign(handle, {
    [name](...args: unknown[]) {
      asked = args;
      return 0;
    },
  });
  return () => {
    Reflect.deleteProperty(handle, name);
    return asked === undefined ? 0 : (Reflect.apply(listen, handle, asked) as number);
  };
}

/**
 * Makes a `listen` fail, in Node's own words: those of a server outside of a cluster. Inside, Node would name another
 * system call, and no address where the application named none; `address` is the one that was tried then. A socket of
 * datagrams has Node's words by itself.
 */
export function refuseListen(server: object, answer: ListenAnswer, errno: number, address?: string): void {
  const listen = readInternal(server, "_listen2");
  if (address !== undefined && typeof listen === "function") {
    Object.assign(server, {
      _listen2: (_: unknown, ...rest: unknown[]) => Reflect.apply(listen, server, [address, ...rest]),
    });
  }
  // Of what has called this nothing is the application's, and it would fill the last lines of a failed start.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  if (isDatagramSocket(server)) answer(errno, null);
  else answer(0, { listen: () => errno, close() {} });
  Error.stackTraceLimit = stackTraceLimit;
  Reflect.deleteProperty(server, "_listen2");
}

/** Another value than before says that the server was closed, or was told to listen anew. */
export function readListeningId(server: object): unknown {
  return isDatagramSocket(server) ? isClosedSocket(server) : readInternal(server, "_listeningId");
}

/**
 * Puts a few bytes between two writes of whoever owns the socket, unseen by Node, which would take their end for that
 * of a write of the owner's own. `busy`: not now, because what was written before is still on its way; `closed`: never.
 */
export function writeBetween(socket: net.Socket, bytes: Uint8Array): "written" | "busy" | "closed" {
  const handle = readInternal(socket, "_handle") as { fd?: number; writeQueueSize?: number } | null;
  if (typeof handle?.fd !== "number" || handle.fd < 0 || typeof handle.writeQueueSize !== "number")
    return "closed";
  if (handle.writeQueueSize > 0) return "busy";
  try {
    // The kernel takes so few at once, or none.
    writeSync(handle.fd, bytes);
    return "written";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EAGAIN" ? "busy" : "closed";
  }
}

/** As node:cluster does it in a worker. */
export function markListening(): void {
  if (cluster.worker) Object.assign(cluster.worker, { state: "listening" });
}

/** libuv reports that a TCP address is in use only when the socket is looked at. */
export function readBindError(handle: SocketHandle): number {
  return handle.getsockname?.({}) ?? 0;
}

/**
 * Puts `listen` in the place of the one function through which a cluster worker obtains its listening sockets.
 * `listen` gets the original to fall back on. Returns false where Node has no such function.
 */
export function replaceGetServer(
  listen: (server: object, query: ListenQuery, answer: ListenAnswer, original: GetServer) => void,
): boolean {
  const original = readInternal(cluster, "_getServer") as GetServer | undefined;
  if (typeof original !== "function") return false;
  (cluster as unknown as { _getServer: GetServer })._getServer = (server, query, answer) =>
    listen(server, query, answer, (...args) => Reflect.apply(original, cluster, args));
  return true;
}

/**
 * Takes the reading end of a child's pipe away from this process, unread. Must be called in the tick of the fork: a
 * byte that Node has read here cannot be handed on. `release` closes this process's copy.
 */
export function takePipe(stream: Readable): { handle: Handle; release: () => void } {
  const handle = readInternal(stream, "_handle") as { readStop(): number; readStart(): number } | undefined;
  if (typeof handle?.readStop !== "function")
    throw new Error("this Node keeps a child's pipe elsewhere than in stream._handle");
  handle.readStop();
  // Node resumes the pipes of a child that has exited, and would swallow what the daemon has yet to read.
  handle.readStart = () => 0;
  return { handle, release: () => void stream.destroy() };
}

/**
 * Calls `listener` right before Node itself ends this process's channel, because the other end of it is gone: Node does
 * that through `process.disconnect`, which anybody may have put a function of his own in the place of.
 */
export function beforeChannelEnds(listener: () => void): void {
  const symbol = Object.getOwnPropertySymbols(process).find(
    ({ description }) => description === "kChannelHandle",
  );
  const channel = symbol && (process as unknown as Record<symbol, { onread?: unknown } | null>)[symbol];
  const onread = channel?.onread;
  if (!channel || typeof onread !== "function")
    throw new Error("this Node keeps its channel elsewhere than in process[kChannelHandle].onread");
  channel.onread = function (this: unknown, ...args: unknown[]): unknown {
    if (!args[0]) listener();
    return Reflect.apply(onread, this, args);
  };
}

function readInternal(owner: object, name: string): unknown {
  return (owner as Record<string, unknown>)[name];
}
