/**
 * What `node-internals.ts` is for listening sockets, for those of datagrams: Node has no public way to bind one without
 * reading from it, and to let a process read from another's. test/unit/node-datagrams.test.ts holds it against each Node.
 */
import { createSocket } from "node:dgram";
import { constants } from "node:os";
import type { ListenQuery, SocketHandle } from "./node-internals.js";

/** Node's UDPWrap. */
export interface DatagramHandle extends SocketHandle {
  recvStart(): number;
  recvStop(): number;
  getpeername(out: { address?: string; port?: number }): number;
  bind(address: string, port: number, flags: number): number;
  connect(address: string, port: number): number;
  connect6(address: string, port: number): number;
  addMembership(group: string, local?: string): number;
  addSourceSpecificMembership(source: string, group: string, local?: string): number;
}

/** What node:cluster calls the kinds of sockets. */
type DatagramType = "udp4" | "udp6";

export function isDatagramType(addressType: unknown): addressType is DatagramType {
  return addressType === "udp4" || addressType === "udp6";
}

export function isDatagramHandle(handle: object): handle is DatagramHandle {
  return typeof (handle as Partial<DatagramHandle>).recvStart === "function";
}

/** Whether this Node lets us bind a socket of datagrams without reading from it, and hand it to another process. */
export function canBindDatagrams(): boolean {
  const handle = makeHandle(4);
  if (!handle) return false;
  handle.close();
  return ["bind", "recvStop", "getsockname", "getpeername"].every(
    (name) => typeof (handle as unknown as Record<string, unknown>)[name] === "function",
  );
}

/** Binds a socket of datagrams. Returns a negative error number when that is impossible. */
export function bindDatagrams({ address, port, addressType, flags }: ListenQuery): DatagramHandle | number {
  const handle = makeHandle(addressType === 6 ? 6 : 4);
  if (!handle) return -constants.errno.ENOTSUP;
  const errno = handle.bind(address ?? "", port ?? 0, flags ?? 0);
  if (errno === 0) return handle;
  handle.close();
  return errno;
}

/** The open socket with this number, if it is one of datagrams. */
export function openDatagrams(fd: number): DatagramHandle | number {
  const socket = createSocket("udp4");
  try {
    // Looks at what the number stands for, which Node has no other public way to ask.
    socket.bind({ fd, exclusive: true });
  } catch {
    socket.close();
    return -constants.errno.EINVAL;
  }
  const handle = findHandle(socket);
  // In the turn in which it was begun, so that nothing was read.
  handle?.recvStop();
  return handle ?? -constants.errno.ENOTSUP;
}

/** Datagrams of others do not come in, and none can be sent to others, for as long as that holds. */
export function isConnected(handle: SocketHandle): boolean {
  return isDatagramHandle(handle) && handle.getpeername({}) === 0;
}

/**
 * A socket is shared with all that has been done to it. Where another worker, of an earlier generation say, has joined a
 * group or connected it already, what is asked for is there, and is no error. Without this no worker could follow another.
 */
export function tolerateSharing(handle: DatagramHandle, version: 4 | 6): void {
  // Node itself forgets that, and so cannot connect a shared socket of IPv6.
  const connect = version === 6 ? handle.connect6 : handle.connect;
  const { addMembership, addSourceSpecificMembership } = handle;
  const { EISCONN, EADDRINUSE, EADDRNOTAVAIL } = constants.errno;
  const isPeer = (address: string, port: number): boolean => {
    const peer: { address?: string; port?: number } = {};
    return handle.getpeername(peer) === 0 && peer.address === address && peer.port === port;
  };
  Object.assign(handle, {
    connect(address: string, port: number) {
      const errno = Reflect.apply(connect, handle, [address, port]) as number;
      return errno === -EISCONN && isPeer(address, port) ? 0 : errno;
    },
    addMembership(...group: unknown[]) {
      const errno = Reflect.apply(addMembership, handle, group) as number;
      return errno === -EADDRINUSE ? 0 : errno;
    },
    addSourceSpecificMembership(...group: unknown[]) {
      const errno = Reflect.apply(addSourceSpecificMembership, handle, group) as number;
      // Elsewhere this may also mean that there is no such interface.
      return errno === -EADDRNOTAVAIL && process.platform === "linux" ? 0 : errno;
    },
  });
}

/** Whether it is a `dgram.Socket`. */
export function isDatagramSocket(socket: object): boolean {
  return readState(socket) !== undefined;
}

/** Whether a `dgram.Socket` was closed. */
export function isClosedSocket(socket: object): boolean {
  return !readState(socket)?.handle;
}

function makeHandle(version: 4 | 6): DatagramHandle | undefined {
  return findHandle(createSocket(`udp${version}`));
}

function findHandle(socket: object): DatagramHandle | undefined {
  const handle = readState(socket)?.handle;
  return handle && isDatagramHandle(handle) ? handle : undefined;
}

function readState(socket: object): { handle: object | null } | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find(
    ({ description }) => description === "state symbol",
  );
  return symbol && (socket as Record<symbol, { handle: object | null }>)[symbol];
}
