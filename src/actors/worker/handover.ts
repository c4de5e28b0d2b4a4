/** The handover: what node:cluster's primary had sent to this worker before it knew that the worker accepts no more. */
import cluster from "node:cluster";
import { clearTimeout, setTimeout } from "node:timers";

/** Longer than a primary is ever busy; one that says nothing for so long hands nothing over either. */
const patience = 5_000;

/**
 * Resolves when everything the primary had handed over has arrived, and was sent back for another worker: a connection
 * that is still on its way when the process exits would hang for ever. Without a primary there is nothing to wait for.
 */
export function awaitHandovers(): Promise<void> {
  if (!cluster.isWorker || process.send === undefined || !process.connected) return Promise.resolve();
  return new Promise((resolve) => {
    const heard = (message: unknown) => {
      if ((message as { ack?: unknown } | null)?.ack === token) finish();
    };
    const finish = () => {
      clearTimeout(timer);
      process.off("internalMessage", heard).off("disconnect", finish);
      resolve();
    };
    const timer = setTimeout(finish, patience);
    process.on("internalMessage", heard).once("disconnect", finish);
    askPrimary(finish);
  });
}

const token = "naught";

/**
 * The channel keeps its order, so that any answer will do. Of cluster's own questions this one is answered on every
 * Node, and says what is true: that the exit which follows is wanted.
 */
function askPrimary(failed: () => void): void {
  const question = { cmd: "NODE_CLUSTER", act: "exitedAfterDisconnect", seq: token };
  send?.(question, (error) => {
    if (error !== null) failed();
  });
}

/** Taken before the application, or whoever gives it its channel, puts another in its place. */
const send: ((message: object, done: (error: Error | null) => void) => boolean) | undefined =
  process.send?.bind(process);
