/** Whether a server runs on an ipc-file already, which decides whether another may be started there. */

import { setTimeout as sleep } from "node:timers/promises";
import { type Reached, reachDaemon } from "../../client/reach.js";
import { now } from "../../clock.js";
import type { Status } from "../../protocol/types.js";
import { isError } from "./failure.js";
import { describeSilence, watchForSilence } from "./silent-daemon.js";
import type { Terminal } from "./terminal.js";
import { createWatcher } from "./watcher.js";

export type Found =
  | { readonly outcome: "running"; readonly status: Status }
  | Exclude<Reached, { outcome: "connected" }>;

export async function findRunning(ipcFile: string, terminal: Terminal): Promise<Found> {
  const reached = await reachDaemon(ipcFile, createWatcher(terminal));
  if (reached.outcome !== "connected") return reached;
  const endWatch = watchForSilence(reached.peer, () => terminal.err(describeSilence(ipcFile)));
  try {
    return { outcome: "running", status: await reached.peer.client.status({}) };
  } catch (error) {
    // It ended as it was asked, or was about to begin.
    if (isError(error, "Lost") || isError(error, "NotStarted")) return { outcome: "absent" };
    throw error;
  } finally {
    endWatch();
    reached.peer.close();
  }
}

/** How long, in milliseconds, the winner of two simultaneous starts may take to open its socket. */
const patience = 10_000;

/** The status of the server that another start is bringing up; undefined if none appears. */
export async function awaitRunning(ipcFile: string, terminal: Terminal): Promise<Status | undefined> {
  const deadline = now() + patience;
  for (let pause = 10; now() < deadline; pause = Math.min(pause * 2, 200)) {
    const found = await findRunning(ipcFile, terminal);
    if (found.outcome === "running") return found.status;
    await sleep(pause);
  }
  return undefined;
}
