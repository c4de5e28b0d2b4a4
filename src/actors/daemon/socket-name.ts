/** What a listening socket is called: in the status, and among others. */
import type { HostListen, SocketInfo } from "../../protocol/types.js";
import { isDatagramHandle } from "../node-datagrams.js";
import { readBound, type SocketHandle } from "../node-internals.js";

export type SocketName = Pick<SocketInfo, "address" | "port" | "datagram">;

/** Where it is bound to; the wish tells what the socket cannot: a path. */
export function nameSocket(
  handle: SocketHandle,
  { fd, address }: { readonly fd?: number | undefined; readonly address: string | null },
): SocketName {
  const bound = readBound(handle);
  const kind = isDatagramHandle(handle) ? { datagram: true } : {};
  if (bound?.address !== undefined && bound.port !== undefined)
    return { address: bound.address, port: bound.port, ...kind };
  return { address: address ?? `descriptor ${fd ?? "unknown"}`, ...kind };
}

/** What workers that ask for the same socket have in common. */
export function nameWish({ address, port, addressType, flags = 0, index, datagram }: HostListen): string {
  return [address ?? "", port, addressType, flags, index, ...(datagram ? ["datagrams"] : [])].join("|");
}

/** The ports of connections and those of datagrams have nothing to do with each other. */
export function isSameKind(one: { datagram?: boolean }, other: { datagram?: boolean }): boolean {
  return (one.datagram ?? false) === (other.datagram ?? false);
}
