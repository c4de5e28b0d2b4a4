/** `naught start` */
import { CannotStart } from "./cannot-start.js";
import { isError } from "./failure.js";
import { findInheritance } from "./inherited.js";
import type { InvocationOf } from "./parse.js";
import {
  crashedAtBoot,
  printCannotStart,
  printFailure,
  printLeft,
  printOnline,
  printRemoving,
  printStatus,
  printUnanswered,
  printUnreachable,
  startRolledBack,
  startStopped,
} from "./print.js";
import { findRemote, type Remote } from "./remote.js";
import { awaitRunning, findRunning } from "./running.js";
import { startDetached } from "./start-detached.js";
import { startHere } from "./start-here.js";
import { buildStart, checkDirectory } from "./start-order.js";
import type { StartOutcome } from "./start-outcome.js";
import type { Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";

export async function runStart(invocation: InvocationOf<"start">, terminal: Terminal): Promise<number> {
  const { options } = invocation;
  const remote = findStartHost(invocation);
  if (remote) return (await import("./start-remote.js")).startRemote(invocation, remote, terminal);
  const typedIpcFile = options["ipc-file"];
  const start = buildStart(invocation, process.env);
  const { daemonMode } = start;
  const report = (outcome: StartOutcome) =>
    reportOutcome(outcome, { typed: typedIpcFile, resolved: start.ipcFile }, terminal);
  try {
    const { fds, names } = findInheritance(
      { daemonMode, launchdSocket: options["launchd-socket"] },
      process.env,
    );
    const found = await findRunning(start.ipcFile, terminal);
    if (found.outcome === "running") {
      terminal.out(printStatus(found.status));
      return 1;
    }
    if (found.outcome === "refused") throw new CannotStart(printUnreachable(typedIpcFile, found.why));
    checkDirectory(start.launch.cwd);
    if (found.outcome === "unanswered" && start.removeOldIpc) terminal.err(printRemoving(typedIpcFile));
    if (!daemonMode)
      return await startHere({ ...start, listenFds: [...fds], listenNames: [...names] }, terminal, report);
    return await report(await startDetached(start, fds, terminal));
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    terminal.err(printCannotStart(error.message));
    return 1;
  }
}

/** A server in the foreground belongs to this terminal, whatever the environment says about hosts. */
function findStartHost({ options }: InvocationOf<"start">): Remote | undefined {
  if (options["daemon-mode"]) return findRemote(options, process.env);
  if (options.host)
    throw new UsageError("--host needs a daemon: it cannot be combined with --daemon-mode false");
  return undefined;
}

async function reportOutcome(
  outcome: StartOutcome,
  ipcFile: { readonly typed: string; readonly resolved: string },
  terminal: Terminal,
): Promise<number> {
  switch (outcome.kind) {
    case "answered":
      return reportStarted(outcome.started, terminal);
    case "ended":
      terminal.err(printCannotStart(outcome.why));
      return 1;
    case "rolled back":
      terminal.err(startRolledBack);
      return 1;
    case "left":
      terminal.err(printLeft(outcome.pid));
      return 1;
    case "refused":
      return reportRefusal(outcome.error, ipcFile, terminal);
  }
}

function reportStarted(
  started: Extract<StartOutcome, { kind: "answered" }>["started"],
  terminal: Terminal,
): number {
  switch (started.outcome) {
    case "ready":
      terminal.out(printOnline(started.counts));
      return 0;
    case "failed":
      terminal.err(crashedAtBoot);
      for (const line of printFailure(started)) terminal.err(line);
      return 1;
    case "stopped":
      terminal.err(startStopped);
      return 1;
  }
}

async function reportRefusal(
  error: Error,
  ipcFile: { readonly typed: string; readonly resolved: string },
  terminal: Terminal,
): Promise<number> {
  if (isError(error, "StaleIpc")) {
    terminal.err(printUnanswered(ipcFile.typed));
    return 1;
  }
  // Another start was faster: its server is what this one would have been.
  const status = isError(error, "AlreadyRunning")
    ? await awaitRunning(ipcFile.resolved, terminal)
    : undefined;
  if (status) terminal.out(printStatus(status));
  else terminal.err(printCannotStart(error.message));
  return 1;
}
