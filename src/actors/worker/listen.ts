/** The worker's way to its listening sockets: the daemon binds them, so that they outlive every worker. */
import { Server } from "node:net";
import { constants } from "node:os";
import { resolve } from "node:path";
import { getSystemErrorName } from "node:util";
import type { Client } from "../../protocol/contract.js";
import { findHandle } from "../../protocol/transport.js";
import type { Listened } from "../../protocol/types.js";
import type { Supervisor } from "../../protocol/worker.js";
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
  const servers = new Map<string, { server: Server; handle: SocketHandle; backlog: number }>();
  const adopted = new Map<string, { own: string; handle: SocketHandle }>();
  const held = new Map<string, SocketHandle>();
  /** What waits for the worker's generation to take over: by the server's own socket. */
  const withheld = new Map<SocketHandle, () => void>();
  let early: { own: string; key: string; handle: SocketHandle }[] = [];
  let serves = false;

  const replaced = replaceGetServer((server, query, answer, original) => {
    // Datagram sockets are node:cluster's business.
    if (server instanceof Server) ask(server, resolvePath(query), answer, original);
    else original(server, query, answer);
  });
  if (!replaced) supervisor.native({});

  async function ask(
    server: Server,
    query: ListenQuery,
    answer: ListenAnswer,
    original: (server: object, query: ListenQuery, answer: ListenAnswer) => void,
  ): Promise<void> {
    const address = [query.address, query.port, query.addressType, query.fd].join();
    const { index, settle, free } = claim(server, address);
    const wish = { ...pickQuery(query), ...pickTickets(server as TicketKeeper), index };
    // When the master is gone, so is the way to any socket.
    const listened = await supervisor.listen(wish).catch(() => lost);
    if (listened.native) {
      free();
      return original(server, query, (errno, handle) => {
        if (errno !== 0) refuseListen(server, answer, errno, nameAny(query));
        else answer(errno, handle);
      });
    }
    const handle = findHandle(listened) as SocketHandle | undefined;
    if (listened.errno !== 0 || !handle) {
      free();
      return refuseListen(server, answer, listened.errno || lost.errno, listened.address);
    }
    const { key, ticketKeys } = listened;
    servers.set(key, { server, handle, backlog: query.backlog || usualBacklog });
    // The answer may have been under way as the generation took over.
    if (listened.withheld && !serves) withhold(server, handle);
    onClose(handle, () => {
      free();
      withheld.delete(handle);
      if (servers.get(key)?.handle === handle) leave(key);
      supervisor.unlisten({ key });
    });
    if (ticketKeys !== undefined) (server as TicketKeeper).setTicketKeys?.(Buffer.from(ticketKeys, "base64"));
    answer(0, handle);
    if (!server.listening) return;
    settle();
    markListening();
  }

  function withhold(server: Server, handle: SocketHandle): void {
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
    else if (found && acceptAlso(found.server, handle, found.backlog) === 0)
      adopted.set(key, { own, handle });
    else handle.close();
  }

  function disown(key: string): void {
    adopted.get(key)?.handle.close();
    adopted.delete(key);
  }

  return { serve, adopt, disown, hold, release, list };
}

/** What a TLS server seals its sessions with. Workers on one address share it, or few clients could resume one. */
interface TicketKeeper extends Server {
  getTicketKeys?(): Buffer;
  setTicketKeys?(keys: Buffer): void;
}

const lost: Listened = { errno: -constants.errno.ECONNRESET, key: "", native: false };

/** As Node itself has it. */
const usualBacklog = 511;

// The daemon works in another directory.
function resolvePath(query: ListenQuery): ListenQuery {
  const { address, port } = query;
  const isPath = port === -1 && typeof address === "string" && !address.startsWith("\0");
  return isPath ? { ...query, address: resolve(address) } : query;
}

function pickQuery({ address, port, addressType, fd, flags, readableAll, writableAll }: ListenQuery) {
  return {
    address,
    port,
    addressType: typeof addressType === "number" ? addressType : null,
    ...(fd === undefined || fd === null ? {} : { fd }),
    ...(flags === undefined ? {} : { flags }),
    ...(readableAll ? { readableAll } : {}),
    ...(writableAll ? { writableAll } : {}),
  };
}

function pickTickets(server: TicketKeeper): { ticketKeys?: string } {
  const keys = server.getTicketKeys?.();
  return keys === undefined ? {} : { ticketKeys: keys.toString("base64") };
}

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
