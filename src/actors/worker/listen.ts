/** The worker's way to its listening sockets, and to those of datagrams: the daemon binds them, so that they outlive it. */
import type { EventEmitter } from "node:events";
import { Server } from "node:net";
import { constants } from "node:os";
import { getSystemErrorName } from "node:util";
import type { Client } from "../../protocol/contract.js";
import { findHandle } from "../../protocol/transport.js";
import type { Listened } from "../../protocol/types.js";
import type { Supervisor } from "../../protocol/worker.js";
import { isDatagramHandle, isDatagramType, tolerateSharing } from "../node-datagrams.js";
import {
  acceptAlso,
  type ListenAnswer,
  type ListenQuery,
  markListening,
  refuseListen,
  replaceGetServer,
  type SocketHandle,
  withholdListen,
} from "../node-internals.js";
import { createClaims } from "./claims.js";
import { resolvePath, type TicketKeeper, type Wish, wishForDatagrams, wishToListen } from "./wish.js";

export interface Listening {
  /** The worker's generation takes over: from now on every server accepts. */
  serve(): void;
  /** Lets the server that has the socket `own` accept from one more. */
  adopt(own: string, key: string, handle: SocketHandle): void;
  disown(key: string): void;
  /** Keeps a socket that is not its own. */
  hold(key: string, handle: SocketHandle): void;
  release(key: string): void;
  /** All sockets that it has. */
  list(): (readonly [key: string, handle: SocketHandle])[];
}

/** Called once, before any of the app's code. */
export function listenThroughSupervisor(supervisor: Client<typeof Supervisor>): Listening {
  const claim = createClaims();
  const servers = new Map<string, { server: object; handle: SocketHandle; backlog: number }>();
  const adopted = new Map<string, { own: string; handle: SocketHandle }>();
  const held = new Map<string, SocketHandle>();
  /** What waits for the worker's generation to take over: by the server's own socket. */
  const withheld = new Map<SocketHandle, () => void>();
  let early: { own: string; key: string; handle: SocketHandle }[] = [];
  let serves = false;

  const replaced = replaceGetServer((server, query, answer, original) => {
    const native = (): void => original(server, query, answer);
    if (server instanceof Server) listen(server, resolvePath(query), answer, original);
    else if (isDatagramType(query.addressType)) read(server, query, answer, native);
    else native();
  });
  if (!replaced) supervisor.native({});

  async function listen(
    server: Server,
    query: ListenQuery,
    answer: ListenAnswer,
    original: GetServer,
  ): Promise<void> {
    const got = await ask(server, wishToListen(server, query), query.backlog || usualBacklog);
    if (got.outcome === "native") {
      return original(server, query, (errno, handle) => {
        if (errno !== 0) refuseListen(server, answer, errno, nameAny(query));
        else answer(errno, handle);
      });
    }
    if (got.outcome === "refused") return refuseListen(server, answer, got.errno, got.address);
    const { ticketKeys } = got.listened;
    if (ticketKeys !== undefined) (server as TicketKeeper).setTicketKeys?.(Buffer.from(ticketKeys, "base64"));
    answer(0, got.handle);
    if (!server.listening) return;
    got.settle();
    markListening();
  }

  async function read(
    socket: object,
    query: ListenQuery,
    answer: ListenAnswer,
    native: () => void,
  ): Promise<void> {
    const wish = wishForDatagrams(query);
    const got = await ask(socket, wish);
    if (got.outcome === "native") return native();
    // The application hears of it at once, and what it throws is not to become a rejected promise.
    process.nextTick(() => {
      if (got.outcome === "refused") return refuseListen(socket, answer, got.errno);
      if (isDatagramHandle(got.handle)) tolerateSharing(got.handle, wish.addressType === 6 ? 6 : 4);
      got.settle();
      markListening();
      answer(0, got.handle);
    });
  }

  async function ask(server: object, wish: Wish, backlog = 0): Promise<Got> {
    const { datagram = false } = wish;
    const address = [wish.address, wish.port, wish.addressType, wish.fd, datagram].join();
    const { index, settle, free } = claim(server, address);
    // When the master is gone, so is the way to any socket.
    const listened = await supervisor.listen({ ...wish, index }).catch(() => ({ ...lost, datagram }));
    const handle = findHandle(listened) as SocketHandle | undefined;
    const isUnknown = datagram && !listened.datagram;
    if (isUnknown && handle) {
      handle.close();
      supervisor.unlisten({ key: listened.key });
    }
    if (listened.native || isUnknown) {
      free();
      return { outcome: "native" };
    }
    if (listened.errno !== 0 || !handle) {
      free();
      return { outcome: "refused", errno: listened.errno || lost.errno, address: listened.address };
    }
    const { key } = listened;
    servers.set(key, { server, handle, backlog });
    // The answer may have been under way as the generation took over.
    if (listened.withheld && !serves) withhold(server as EventEmitter, handle);
    onClose(handle, () => {
      free();
      withheld.delete(handle);
      if (servers.get(key)?.handle === handle) leave(key);
      supervisor.unlisten({ key });
    });
    return { outcome: "got", listened, handle, settle };
  }

  function withhold(server: EventEmitter, handle: SocketHandle): void {
    const listen = withholdListen(handle);
    withheld.set(handle, () => {
      const errno = listen();
      if (errno !== 0) server.emit("error", new Error(`cannot listen: ${getSystemErrorName(errno)}`));
    });
  }

  function serve(): void {
    serves = true;
    const waiting = [...withheld.values()];
    withheld.clear();
    for (const open of waiting) open();
    for (const { own, key, handle } of early.splice(0)) adopt(own, key, handle);
  }

  function hold(key: string, handle: SocketHandle): void {
    if (held.has(key)) handle.close();
    else held.set(key, handle);
  }

  function release(key: string): void {
    held.get(key)?.close();
    held.delete(key);
  }

  function list(): (readonly [key: string, handle: SocketHandle])[] {
    const used = [...servers, ...adopted].map(([key, { handle }]) => [key, handle] as const);
    return [...new Map([...held, ...used])];
  }

  function leave(key: string): void {
    servers.delete(key);
    for (const [extra, { own }] of adopted) if (own === key) disown(extra);
    for (const { handle } of early.filter(({ own }) => own === key)) handle.close();
    early = early.filter(({ own }) => own !== key);
  }

  function adopt(own: string, key: string, handle: SocketHandle): void {
    const found = servers.get(own);
    if (found && withheld.has(found.handle)) early.push({ own, key, handle });
    else if (found?.server instanceof Server && acceptAlso(found.server, handle, found.backlog) === 0)
      adopted.set(key, { own, handle });
    else handle.close();
  }

  function disown(key: string): void {
    adopted.get(key)?.handle.close();
    adopted.delete(key);
  }

  return { serve, adopt, disown, hold, release, list };
}

type GetServer = (server: object, query: ListenQuery, answer: ListenAnswer) => void;

type Got =
  | { readonly outcome: "got"; listened: Listened; handle: SocketHandle; settle(): void }
  /** The socket is node:cluster's. */
  | { readonly outcome: "native" }
  | { readonly outcome: "refused"; errno: number; address: string | undefined };

const lost: Listened = { errno: -constants.errno.ECONNRESET, key: "", native: false };

/** As Node itself has it. */
const usualBacklog = 511;

// node:cluster does not tell which of the two it was.
function nameAny({ address, fd }: ListenQuery): string | undefined {
  return address === null && typeof fd !== "number" ? "::" : undefined;
}

function onClose(handle: SocketHandle, listener: () => void): void {
  const { close } = handle;
  handle.close = (closed) => {
    handle.close = close;
    listener();
    close.call(handle, closed);
  };
}
