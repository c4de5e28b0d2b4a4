/** A worker's wish for a socket: what Node's own code asks its cluster's primary for, as the daemon is to be told of it. */
import type { Server } from "node:net";
import { resolve } from "node:path";
import type { Listen } from "../../protocol/types.js";
import type { ListenQuery } from "../node-internals.js";

/** What a TLS server seals its sessions with. Workers on one address share it, or few clients could resume one. */
export interface TicketKeeper extends Server {
  getTicketKeys?(): Buffer;
  setTicketKeys?(keys: Buffer): void;
}

export type Wish = Omit<Listen, "index">;

/** Of a server, whose path is absolute. */
export function wishToListen(server: TicketKeeper, query: ListenQuery): Wish {
  const { address, port, addressType, fd, flags, readableAll, writableAll } = query;
  const keys = server.getTicketKeys?.();
  return {
    address,
    port,
    addressType: typeof addressType === "number" ? addressType : null,
    ...(fd === undefined || fd === null ? {} : { fd }),
    ...(flags === undefined ? {} : { flags }),
    ...(readableAll ? { readableAll } : {}),
    ...(writableAll ? { writableAll } : {}),
    ...(keys === undefined ? {} : { ticketKeys: keys.toString("base64") }),
  };
}

/** Of a socket of datagrams, whose address is a number, and whose port is whatever the application has said. */
export function wishForDatagrams({ address, port, addressType, fd, flags }: ListenQuery): Wish {
  const version = addressType === "udp6" ? 6 : 4;
  if (typeof fd === "number" && fd > 0)
    return { address: null, port: null, addressType: version, fd, datagram: true };
  const known = { address: address ?? "", port: Number(port ?? 0) >>> 0, addressType: version };
  return { ...known, ...(flags ? { flags } : {}), datagram: true };
}

/** The daemon works in another directory. */
export function resolvePath(query: ListenQuery): ListenQuery {
  const { address, port } = query;
  const isPath = port === -1 && typeof address === "string" && !address.startsWith("\0");
  return isPath ? { ...query, address: resolve(address) } : query;
}
