/** The worker's way to its listening sockets: the daemon binds them, so that they outlive every worker. */
import { Server } from "node:net";
import type { Client } from "../../protocol/contract.js";
import { findHandle } from "../../protocol/transport.js";
import type { Supervisor } from "../../protocol/worker.js";
import { acceptAlso, type ListenQuery, replaceGetServer, type SocketHandle } from "../node-internals.js";

export interface Listening {
  /** Lets the server that has the socket `own` accept from one more. */
  adopt(own: string, key: string, handle: SocketHandle): void;
  disown(key: string): void;
}

/** Called once, before any of the app's code. */
export function listenThroughSupervisor(supervisor: Client<typeof Supervisor>): Listening {
  const indexes = new Map<string, Set<number>>();
  const servers = new Map<string, Server>();
  const adopted = new Map<string, { own: string; handle: SocketHandle }>();

  replaceGetServer((server, query, answer, original) => {
    // Datagram sockets are node:cluster's business.
    if (!(server instanceof Server)) return original(server, query, answer);
    const address = [query.address, query.port, query.addressType, query.fd].join();
    const index = takeIndex(address);
    const refuse = (errno: number): void => {
      freeIndex(address, index);
      answer(errno, null);
    };
    supervisor.listen({ ...pickQuery(query), index }).then(
      (listened) => {
        const handle = findHandle(listened) as SocketHandle | undefined;
        if (listened.native) {
          freeIndex(address, index);
          return original(server, query, answer);
        }
        if (listened.errno !== 0 || !handle) return refuse(listened.errno || -1);
        servers.set(listened.key, server);
        onClose(handle, () => {
          freeIndex(address, index);
          servers.delete(listened.key);
          for (const [key, { own }] of adopted) if (own === listened.key) disown(key);
          supervisor.unlisten({ key: listened.key });
        });
        answer(0, handle);
      },
      // The master is gone, and with it the way to any socket.
      () => refuse(lostErrno),
    );
  });

  function adopt(own: string, key: string, handle: SocketHandle): void {
    const server = servers.get(own);
    if (server && acceptAlso(server, handle) === 0) adopted.set(key, { own, handle });
    else handle.close();
  }

  function disown(key: string): void {
    adopted.get(key)?.handle.close();
    adopted.delete(key);
  }

  // As under node:cluster: the first server of each worker on an address shares with the first of the others, and so on.
  function takeIndex(address: string): number {
    const taken = indexes.get(address) ?? new Set();
    indexes.set(address, taken);
    let index = 0;
    while (taken.has(index)) index += 1;
    taken.add(index);
    return index;
  }

  function freeIndex(address: string, index: number): void {
    const taken = indexes.get(address);
    taken?.delete(index);
    if (taken?.size === 0) indexes.delete(address);
  }

  return { adopt, disown };
}

/** ECONNRESET, as libuv numbers it on Linux. */
const lostErrno = -104;

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

function onClose(handle: SocketHandle, listener: () => void): void {
  const { close } = handle;
  handle.close = (closed) => {
    handle.close = close;
    listener();
    close.call(handle, closed);
  };
}
