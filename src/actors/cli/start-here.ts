/** A start whose daemon lives in this process: the command stays until the daemon is through. */
import type { NaughtEvent, Start } from "../../protocol/types.js";
import { settlesWithin } from "./process-end.js";
import { runDaemonHere } from "./reach.js";
import { isReady, requestStart, type StartOutcome } from "./start-outcome.js";
import type { Terminal } from "./terminal.js";
import { createWatcher } from "./watcher.js";

/** How long, in milliseconds, a daemon that has nothing to do may take to end. */
const patience = 5_000;

/** `report` prints how the start ended and returns the exit status of one that has failed. */
export async function startHere(
  start: Start,
  terminal: Terminal,
  report: (outcome: StartOutcome) => Promise<number>,
): Promise<number> {
  const tellParent = findParent();
  const watcher = createWatcher(terminal, {
    // The log already says so on the same terminal.
    printEvents: start.logs.log !== "-",
    ...(tellParent && { onEvent: tellParent }),
  });
  const { peer, ended } = runDaemonHere(watcher);
  const answer = requestStart(peer, start);
  // The call's own events end with its answer.
  if (tellParent) peer.client.watch({}).catch(() => {});
  const outcome = (await answer) ?? {
    kind: "ended",
    why: `the daemon ended with exit code ${await ended}`,
  };
  const status = await report(outcome);
  if (isReady(outcome)) return ended;
  await settlesWithin(patience, ended);
  return status;
}

/** A parent that forked this command with a Node channel is told every event, as naught 1 told it. */
function findParent(): ((event: NaughtEvent) => void) | undefined {
  if (!process.send) return undefined;
  const send = (message: object): void => {
    // The callback keeps a parent that has gone away from being an exception.
    if (process.connected) process.send?.(message, undefined, {}, () => {});
  };
  let told = false;
  return ({ name, waitingFor, counts }) => {
    if (!told) send({ event: "IpcListening" });
    told = true;
    send({ event: name, waitingFor, count: counts });
  };
}
