/** A listening socket's end: the server stops accepting, and its application does not notice. */
import type { Server } from "node:net";
import { setImmediate as passTurn } from "node:timers/promises";

/** The part of Node's listening handles that `net.Server` and `node:cluster` call. There is no public way to it. */
interface ListeningHandle {
  close(closed?: () => void): void;
  ref(): void;
  unref(): void;
  getsockname?(address: object): number;
}

interface Listening {
  _handle: ListeningHandle | null;
}

/**
 * Closes the listening handle only. `server.close()` would tell the application, and an http server's would cut its
 * idle connections. Under node:cluster this is also what tells the primary, and what is on its way to this worker
 * then goes to another.
 */
export function stopAccepting(server: Server): void {
  const listening = server as unknown as Listening;
  const handle = listening._handle;
  if (handle === null || handle instanceof ClosedHandle) return;
  const address = readAddress(server, handle);
  listening._handle = new ClosedHandle(address);
  try {
    handle.close();
  } catch {
    // Somebody put a handle of his own there; the others must be drained all the same.
  }
}

/**
 * Resolves when no connection waits to be accepted: a socket that belongs to this process alone, as it does without
 * node:cluster, resets them when it is closed. Node accepts one in a turn. Under a storm it ends all the same.
 */
export async function acceptWaiting(accepted: () => number): Promise<void> {
  await passTurn();
  for (let turn = 0; turn < 100; turn += 1) {
    const before = accepted();
    await passTurn();
    if (accepted() === before) return;
  }
}

/** Null for a unix socket: its handle has no such method, and its server remembers the path by itself. */
function readAddress(server: Server, handle: ListeningHandle): ReturnType<Server["address"]> {
  try {
    return handle.getsockname === undefined ? null : server.address();
  } catch {
    return null;
  }
}

/**
 * Stands in for the handle, so that `listening`, `address()` and `close(callback)` answer as before: without any
 * handle `close` fails with ERR_SERVER_NOT_RUNNING, and with the closed one `address()` throws EBADF.
 */
class ClosedHandle implements ListeningHandle {
  readonly getsockname?: (address: object) => number;

  constructor(address: ReturnType<Server["address"]>) {
    if (address === null || typeof address === "string") return;
    this.getsockname = (out) => {
      Object.assign(out, address);
      return 0;
    };
  }

  close(closed?: () => void): void {
    if (closed !== undefined) setImmediate(closed);
  }

  /** Nothing is accepted any more, so nothing holds the process. */
  ref(): void {}

  unref(): void {}
}
