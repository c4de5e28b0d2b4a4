/** One command's call to a daemon that should be running, here or on another host. */
import { type DaemonPeer, type Reached, reachDaemon } from "../../client/reach.js";
import type { CommandName } from "./command-line.js";
import { isError, reportError } from "./failure.js";
import { defaultIpcFile, resolveIpcFile } from "./paths.js";
import { notRunning, printError, printLostLink, printUnanswered, printUnreachable } from "./print.js";
import { findRemote, toHost } from "./remote.js";
import type { RemoteValues } from "./remote-options.js";
import type { Terminal } from "./terminal.js";
import { createWatcher, type WatcherOptions } from "./watcher.js";

export interface Call {
  readonly command: CommandName;
  readonly options: RemoteValues;
  /** As it was typed. */
  readonly ipcFile: string | undefined;
  readonly terminal: Terminal;
  /** The exit status when no server is running. */
  readonly absent: number;
  readonly watcher?: WatcherOptions;
  /** What becomes of the work when the connection is lost. */
  readonly aftermath?: () => string | undefined;
}

/** Returns the exit status: that of `work`, unless there is no daemon or it refuses. */
export async function callDaemon(call: Call, work: (peer: DaemonPeer) => Promise<number>): Promise<number> {
  const { command, terminal, ipcFile = defaultIpcFile } = call;
  const reached = await reach(call);
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
    case "unreachable":
      terminal.err(printError(command, reached.why));
      return 1;
    case "connected":
      try {
        return await work(reached.peer);
      } catch (error) {
        const lost = isError(error, "Lost") ? await explainLoss(call, reached) : undefined;
        if (lost === undefined) return reportError(command, error, terminal);
        terminal.err(printError(command, lost));
        return 1;
      } finally {
        reached.peer.close();
      }
  }
}

function reach(call: Call): Promise<Reached> {
  const { ipcFile, terminal } = call;
  const watcher = createWatcher(terminal, call.watcher);
  const remote = findRemote(call.options, process.env);
  if (!remote) return reachDaemon(resolveIpcFile(ipcFile ?? defaultIpcFile), watcher);
  return reachDaemon({ ...toHost(remote, ipcFile), onNote: (line) => terminal.err(line) }, watcher);
}

/** Undefined where there is nothing to say but that it was lost. */
async function explainLoss(
  { options, ipcFile = defaultIpcFile, aftermath }: Call,
  { explainLoss: why }: Extract<Reached, { outcome: "connected" }>,
): Promise<string | undefined> {
  const host = findRemote(options, process.env)?.destination.text;
  const after = aftermath?.();
  if (host === undefined && after === undefined) return undefined;
  return printLostLink(host ?? ipcFile, (await why?.()) ?? "it was closed", after);
}
