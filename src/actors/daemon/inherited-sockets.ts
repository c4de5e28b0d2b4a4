/** The listening sockets that naught itself was given: who asks for the same address gets them. */
import { constants } from "node:os";
import type { HostListen } from "../../protocol/types.js";
import { bindSocket, readBound, type SocketHandle } from "../node-internals.js";
import { readUnixPath } from "../socket-table.js";

export interface InheritedSockets {
  /** Which of them serve a wish; empty: it is for another socket. A number: libuv's error. */
  find(wish: HostListen): readonly SocketHandle[] | number;
  /** Those that can be listened on, in the order in which they were given. */
  readonly all: readonly SocketHandle[];
  close(): void;
}

/** A worker's numbers of these sockets begin here: 3 is its channel. */
const firstWorkerFd = 4;

export function openInherited(fds: readonly number[]): InheritedSockets {
  const sockets = fds.map((fd) => {
    const path = readUnixPath(fd);
    // Anything else, a datagram socket say, is for the application alone.
    const handle = bindSocket({ address: null, port: null, addressType: null, fd });
    return { handle, path };
  });
  return {
    all: sockets.flatMap(({ handle }) => (typeof handle === "number" ? [] : handle)),
    find({ fd, address, port, addressType, index }) {
      if (fd !== undefined) {
        const { handle } = sockets[fd - firstWorkerFd] ?? { handle: -constants.errno.EBADF };
        return typeof handle === "number" ? handle : [handle];
      }
      if (index !== 0) return [];
      return sockets.flatMap(({ handle, path }) => {
        if (typeof handle === "number") return [];
        const isIt =
          addressType === -1 ? path !== null && path === address : isBoundTo(handle, address, port);
        return isIt ? [handle] : [];
      });
    },
    close() {
      for (const { handle } of sockets) if (typeof handle !== "number") handle.close();
    },
  };
}

// There may be two for any address: one for each version of IP.
function isBoundTo(handle: SocketHandle, address: string | null, port: number | null): boolean {
  const bound = readBound(handle);
  if (!port || bound?.port !== port) return false;
  const isAny = bound.address === "::" || bound.address === "0.0.0.0";
  return bound.address === address || (isAny && (address === null || address === "0.0.0.0"));
}
