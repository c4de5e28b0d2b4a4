/** One command's call to a daemon that should be running, here or on another host. */
import { type DaemonPeer, type Reached, reachDaemon } from "../../client/reach.js";
import { now } from "../../clock.js";
import type { CommandName } from "./command-line.js";
import { isError, reportError } from "./failure.js";
import { defaultIpcFile, resolveIpcFile } from "./paths.js";
import {
  notRunning,
  printError,
  printLostLink,
  printSilent,
  printUnanswered,
  printUnreachable,
} from "./print.js";
import { findRemote, toHost } from "./remote.js";
import type { RemoteValues } from "./remote-options.js";
import { describeSilence, watchForSilence } from "./silent-daemon.js";
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
  /** Called when the daemon has died and none follows it; returns the exit status, or undefined when nothing is known. */
  readonly orphaned?: () => Promise<number | undefined>;
  /** What becomes of the work when the connection is lost. */
  readonly aftermath?: () => string | undefined;
  /** Done anew, the work goes on where it was: for as long as it lasts, and on another host, too. */
  readonly resumes?: boolean;
}

/** Milliseconds in which a daemon that has died during the call has to be followed by another one. */
const revivalPatience = 5_000;
/** A daemon that dies so often is not there to be called. */
const mostTries = 5;
/** Milliseconds after which a connection that is lost was a good one. */
const goodTime = 10_000;

/**
 * Returns the exit status: that of `work`, unless there is no daemon or it refuses. If the daemon dies and another one
 * follows it, the work is done anew, so it has to be one that may be.
 */
export async function callDaemon(call: Call, work: (peer: DaemonPeer) => Promise<number>): Promise<number> {
  const watcher = createWatcher(call.terminal, call.watcher);
  let found = await reach(call, watcher);
  for (let tries = 1; ; tries += 1) {
    const reached = found;
    if (reached.outcome !== "connected") return reportUnreached(call, reached);
    const began = now();
    const endWatch = watchForSilence(reached.peer, () => call.terminal.err(describeSilent(call)));
    try {
      return await work(reached.peer);
    } catch (error) {
      const isLost = isError(error, "Lost");
      const isLocal = !findRemote(call.options, process.env);
      if (call.resumes && now() - began > goodTime) tries = 0;
      const next =
        isLost && (isLocal || call.resumes) && tries < mostTries
          ? await reach(call, watcher, revivalPatience)
          : undefined;
      if (next?.outcome === "connected") {
        found = next;
        continue;
      }
      const status = isLost && isLocal ? await call.orphaned?.() : undefined;
      if (status !== undefined) return status;
      const lost = isLost ? await explainLoss(call, reached) : undefined;
      if (lost === undefined) return reportError(call.command, error, call.terminal);
      call.terminal.err(printError(call.command, lost));
      return 1;
    } finally {
      endWatch();
      reached.peer.close();
    }
  }
}

function describeSilent({ options, ipcFile = defaultIpcFile }: Call): string {
  return findRemote(options, process.env) ? printSilent() : describeSilence(resolveIpcFile(ipcFile));
}

function reportUnreached(call: Call, reached: Exclude<Reached, { outcome: "connected" }>): number {
  const { command, terminal, ipcFile = defaultIpcFile } = call;
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
  }
}

function reach(
  { ipcFile, terminal, options }: Call,
  watcher: ReturnType<typeof createWatcher>,
  patience?: number,
): Promise<Reached> {
  const remote = findRemote(options, process.env);
  if (!remote) return reachDaemon(resolveIpcFile(ipcFile ?? defaultIpcFile), watcher, patience);
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
