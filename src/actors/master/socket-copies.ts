/** The master's copies of the daemon's listening sockets: one of each is what every worker is sent. */
import type { Handle } from "../../protocol/contract.js";
import { carryHandle, findHandle } from "../../protocol/transport.js";
import type { Listened } from "../../protocol/types.js";
import type { SocketHandle } from "../node-internals.js";

export interface SocketCopies {
  /** Returns the copy to send on in the place of the one that came. */
  hold(key: string, received: Handle): Handle;
  /** Makes the socket that came with the answer travel on with it. */
  keep(listened: Listened): Listened;
  /** For the next daemon. */
  list(): Iterable<readonly [key: string, handle: Handle]>;
  /** The daemon has given the socket up. */
  release(key: string): void;
}

/** `added` is called for each socket that was not known before. */
export function createSocketCopies(added: (key: string, copy: Handle) => void = () => {}): SocketCopies {
  const copies = new Map<string, Handle>();

  // Each that comes is a descriptor of its own. The first is kept, because one that is being sent must not be closed.
  function hold(key: string, received: Handle): Handle {
    const known = copies.get(key);
    if (known) close(received);
    else {
      copies.set(key, received);
      added(key, received);
    }
    return known ?? received;
  }

  return {
    hold,
    list: () => copies.entries(),
    keep(listened) {
      const received = findHandle(listened);
      if (received) carryHandle(listened, hold(listened.key, received));
      return listened;
    },
    release(key) {
      const copy = copies.get(key);
      copies.delete(key);
      if (copy) close(copy);
    },
  };
}

function close(handle: Handle): void {
  (handle as SocketHandle).close();
}
