/** `naught stop` */
import { setTimeout as sleep } from "node:timers/promises";
import { now } from "../../clock.js";
import { findRemains } from "../remains.js";
import { callDaemon } from "./call.js";
import { buildDrain } from "./drain-options.js";
import { greet, isElsewhere } from "./elsewhere.js";
import { waitInterruptibly } from "./interrupt.js";
import type { InvocationOf } from "./parse.js";
import { defaultIpcFile, resolveIpcFile } from "./paths.js";
import { alreadyShuttingDown, printDaemonDied, printError, stillConnected, stopDetached } from "./print.js";
import { awaitProcessEnd, settlesWithin } from "./process-end.js";
import type { DaemonPeer } from "./reach.js";
import { findRemote } from "./remote.js";
import type { Terminal } from "./terminal.js";

/** How long, in milliseconds, the daemon may take to end once everything else has. */
const patience = 5_000;
/** How long, in milliseconds, a server without a daemon may take to end. */
const orphanPatience = 10_000;

export function runStop(invocation: InvocationOf<"stop">, terminal: Terminal): Promise<number> {
  const { command, operand: ipcFile, options } = invocation;
  let calls = 0;
  // Of a daemon that follows one which has died it is this very command's stop.
  const watcher = { onNotice: () => calls === 1 && terminal.err(alreadyShuttingDown) };
  const orphaned = async () => {
    const left = await awaitNothingLeft(resolveIpcFile(ipcFile ?? defaultIpcFile));
    if (left) terminal.err(printError(command, printDaemonDied(left)));
    return left && (left.length === 0 ? 0 : 1);
  };
  return callDaemon({ command, options, ipcFile, terminal, absent: 0, watcher, orphaned }, async (peer) => {
    calls += 1;
    const remote = findRemote(options, process.env) !== undefined;
    // A process id means something only on its own machine.
    const pid = greet(peer).then(
      (hello) => (remote || isElsewhere(hello) ? undefined : hello?.pid),
      () => undefined,
    );
    const stop = peer.client.stop({
      ...(options.timeout === null ? {} : { timeout: options.timeout }),
      ...buildDrain(options),
    });
    if (!(await waitInterruptibly(stop, ["SIGINT"], () => "leave"))) {
      terminal.err(stopDetached);
      return 1;
    }
    if (await awaitDaemonEnd(peer, await pid)) return 0;
    terminal.err(printError(command, stillConnected));
    return 1;
  });
}

/** The processes that are still there after some time; undefined where nobody knows. */
async function awaitNothingLeft(ipcFile: string): Promise<number[] | undefined> {
  const deadline = now() + orphanPatience;
  for (;;) {
    const left = findRemains(ipcFile);
    if (!left || left.length === 0 || now() > deadline) return left;
    await sleep(50);
  }
}

/** False: the daemon keeps its connection. */
async function awaitDaemonEnd(peer: DaemonPeer, pid: number | undefined): Promise<boolean> {
  const closed = new Promise<void>((resolve) => peer.onClose(resolve));
  if (!(await settlesWithin(patience, closed))) return false;
  // Not an error when it stays: the daemon may live among other process ids than this command's.
  if (pid) await awaitProcessEnd(pid, patience);
  return true;
}
