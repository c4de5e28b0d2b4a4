/** Connecting to an ipc file, and what it means when that does not work. */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export type Opened =
  | { readonly outcome: "connected"; readonly socket: Socket }
  /** Nothing is there. */
  | { readonly outcome: "absent" }
  /** Something is there, but nobody answers, or it is no socket. */
  | { readonly outcome: "unanswered" }
  | { readonly outcome: "refused"; readonly why: string };

export async function openSocket(path: string): Promise<Opened> {
  for (let attempt = 1; ; attempt++) {
    const socket = await tryOnce(path);
    if (!(socket instanceof Error)) return { outcome: "connected", socket };
    if (socket.code === "ENOENT") return { outcome: "absent" };
    if (socket.code === "ECONNREFUSED" || socket.code === "ENOTSOCK") return { outcome: "unanswered" };
    // The queue of a busy daemon is full for a moment.
    if (socket.code !== "EAGAIN" || attempt === 50) return { outcome: "refused", why: socket.message };
    await sleep(20);
  }
}

function tryOnce(path: string): Promise<Socket | NodeJS.ErrnoException> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("error", resolve);
    socket.once("connect", () => {
      socket.off("error", resolve);
      resolve(socket);
    });
  });
}
