/** Connecting to an ipc file, and what it means when that does not work. */
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { findRemains } from "../actors/remains.js";
import { now } from "../clock.js";

export type Opened =
  | { readonly outcome: "connected"; readonly socket: Socket }
  /** Nothing is there. */
  | { readonly outcome: "absent" }
  /** Something is there, but nobody answers, or it is no socket. */
  | { readonly outcome: "unanswered" }
  | { readonly outcome: "refused"; readonly why: string };

/** Milliseconds in which a daemon that has died is followed by another one, where that is possible. */
const revivalPatience = 3_000;

export async function openSocket(path: string, patience = revivalPatience): Promise<Opened> {
  const deadline = now() + patience;
  for (let attempt = 1; ; attempt++) {
    const socket = await tryOnce(path);
    if (!(socket instanceof Error)) return { outcome: "connected", socket };
    if (socket.code === "ENOENT") return { outcome: "absent" };
    if (socket.code === "ENOTSOCK") return { outcome: "unanswered" };
    if (socket.code === "ECONNREFUSED") {
      if (now() > deadline || !mayComeBack(path)) return { outcome: "unanswered" };
      await sleep(20);
      continue;
    }
    // The queue of a busy daemon is full for a moment.
    if (socket.code !== "EAGAIN" || attempt === 50) return { outcome: "refused", why: socket.message };
    await sleep(20);
  }
}

/**
 * A daemon has left a record here in this boot of the machine, and not everybody else is known to be dead: its master, or
 * its workers, may be bringing another up.
 */
function mayComeBack(path: string): boolean {
  try {
    const { bootId } = JSON.parse(readFileSync(`${path}.owner`, "utf8")) as { readonly bootId?: unknown };
    if (bootId !== readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim()) return false;
    return findRemains(path)?.length !== 0;
  } catch {
    return false;
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
