/** One command's call to a daemon that should be running. */
import type { CommandName } from "./command-line.js";
import { reportError } from "./failure.js";
import { defaultIpcFile, resolveIpcFile } from "./paths.js";
import { notRunning, printError, printUnanswered, printUnreachable } from "./print.js";
import { type DaemonPeer, reachDaemon } from "./reach.js";
import type { Terminal } from "./terminal.js";
import { createWatcher, type WatcherOptions } from "./watcher.js";

export interface Call {
  readonly command: CommandName;
  /** As it was typed. */
  readonly ipcFile: string | undefined;
  readonly terminal: Terminal;
  /** The exit status when no server is running. */
  readonly absent: number;
  readonly watcher?: WatcherOptions;
}

/** Returns the exit status: that of `work`, unless there is no daemon or it refuses. */
export async function callDaemon(call: Call, work: (peer: DaemonPeer) => Promise<number>): Promise<number> {
  const { command, terminal, ipcFile = defaultIpcFile } = call;
  const reached = await reachDaemon(resolveIpcFile(ipcFile), createWatcher(terminal, call.watcher));
  switch (reached.outcome) {
    case "absent":
      terminal.err(notRunning);
      return call.absent;
    case "unanswered":
      terminal.err(printUnanswered(ipcFile));
      return 1;
    case "refused":
      terminal.err(printError(command, printUnreachable(ipcFile, reached.why)));
      return 1;
    case "connected":
      try {
        return await work(reached.peer);
      } catch (error) {
        return reportError(command, error, terminal);
      } finally {
        reached.peer.close();
      }
  }
}
