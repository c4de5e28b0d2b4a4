/** The listening sockets, and those of datagrams, that naught itself was given: who asks for the same address gets them. */
import { constants } from "node:os";
import type { HostListen } from "../../protocol/types.js";
import { isDatagramHandle, openDatagrams } from "../node-datagrams.js";
import { bindSocket, readBound, type SocketHandle } from "../node-internals.js";
import { readUnixPath } from "../socket-table.js";

export interface InheritedSockets {
  /** Which of them serve a wish; empty: it is for another socket. A number: libuv's error. */
  find(wish: HostListen): readonly SocketHandle[] | number;
  /** Those that can be listened on, in the order in which they were given; behind them those of datagrams. */
  readonly all: readonly SocketHandle[];
  close(): void;
}

/** A worker's numbers of these sockets begin here: 3 is its channel. */
const firstWorkerFd = 4;

export function openInherited(fds: readonly number[]): InheritedSockets {
  const sockets = fds.map((fd) => {
    const path = readUnixPath(fd);
    const handle = bindSocket({ address: null, port: null, addressType: null, fd });
    // Anything else is for the application alone.
    return { handle: typeof handle === "number" ? openDatagrams(fd) : handle, path };
  });
  const handles = sockets.flatMap(({ handle }) => (typeof handle === "number" ? [] : handle));
  return {
    all: [...handles.filter((each) => !isDatagramHandle(each)), ...handles.filter(isDatagramHandle)],
    find({ fd, address, port, addressType, index, datagram = false }) {
      const isOfKind = (handle: SocketHandle): boolean => isDatagramHandle(handle) === datagram;
      if (fd !== undefined) {
        const { handle } = sockets[fd - firstWorkerFd] ?? { handle: -constants.errno.EBADF };
        if (typeof handle === "number") return handle;
        return isOfKind(handle) ? [handle] : -constants.errno.EINVAL;
      }
      if (index !== 0) return [];
      if (datagram) {
        // One family of addresses is of no use to a socket of the other, and nobody could read from two.
        const same = handles.find((handle) => isOfKind(handle) && isBoundExactly(handle, address, port));
        return same ? [same] : [];
      }
      return sockets.flatMap(({ handle, path }) => {
        if (typeof handle === "number" || !isOfKind(handle)) return [];
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

function isBoundExactly(handle: SocketHandle, address: string | null, port: number | null): boolean {
  const bound = readBound(handle);
  return Boolean(port) && bound?.port === port && bound?.address === address;
}

// There may be two for any address: one for each version of IP.
function isBoundTo(handle: SocketHandle, address: string | null, port: number | null): boolean {
  const bound = readBound(handle);
  if (!port || bound?.port !== port) return false;
  const isAny = bound.address === "::" || bound.address === "0.0.0.0";
  return bound.address === address || (isAny && (address === null || address === "0.0.0.0"));
}
