/** `naught stop` */
import { callDaemon } from "./call.js";
import { buildDrain } from "./drain-options.js";
import { greet, isElsewhere } from "./elsewhere.js";
import { waitInterruptibly } from "./interrupt.js";
import type { InvocationOf } from "./parse.js";
import { alreadyShuttingDown, printError, stillConnected, stopDetached } from "./print.js";
import { awaitProcessEnd, settlesWithin } from "./process-end.js";
import type { DaemonPeer } from "./reach.js";
import { findRemote } from "./remote.js";
import type { Terminal } from "./terminal.js";

/** How long, in milliseconds, the daemon may take to end once everything else has. */
const patience = 5_000;

export function runStop(invocation: InvocationOf<"stop">, terminal: Terminal): Promise<number> {
  const { command, operand: ipcFile, options } = invocation;
  const watcher = { onNotice: () => terminal.err(alreadyShuttingDown) };
  return callDaemon({ command, options, ipcFile, terminal, absent: 0, watcher }, async (peer) => {
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

/** False: the daemon keeps its connection. */
async function awaitDaemonEnd(peer: DaemonPeer, pid: number | undefined): Promise<boolean> {
  const closed = new Promise<void>((resolve) => peer.onClose(resolve));
  if (!(await settlesWithin(patience, closed))) return false;
  // Not an error when it stays: the daemon may live among other process ids than this command's.
  if (pid) await awaitProcessEnd(pid, patience);
  return true;
}
