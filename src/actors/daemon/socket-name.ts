/** What a listening socket is called in the status. */
import type { SocketInfo } from "../../protocol/types.js";
import { readBound, type SocketHandle } from "../node-internals.js";

export type SocketName = Pick<SocketInfo, "address" | "port">;

/** Where it is bound to; the wish tells what the socket cannot: a path. */
export function nameSocket(
  handle: SocketHandle,
  { fd, address }: { readonly fd?: number | undefined; readonly address: string | null },
): SocketName {
  const bound = readBound(handle);
  if (bound?.address !== undefined && bound.port !== undefined)
    return { address: bound.address, port: bound.port };
  return { address: address ?? `descriptor ${fd ?? "unknown"}` };
}
