/** Every line that the commands print, as pure functions: scripts written for naught 1 read them. */
import type { Counts, NaughtEvent, Settled, Started, Status, WorkerInfo } from "../../protocol/types.js";

export function printCounts({ booting, online, dying, new_online }: Counts): string {
  return `booting: ${booting}, online: ${online}, dying: ${dying}, new_online: ${new_online}`;
}

export function printEvent({ name, counts }: Pick<NaughtEvent, "name" | "counts">): string {
  return `${name}. ${printCounts(counts)}`;
}

export function printStatus({ phase, counts }: Pick<Status, "phase" | "counts">): string {
  switch (phase) {
    case "booting":
      return `booting\n${printCounts(counts)}`;
    case "deploying":
      return `deploy in progress\n${printCounts(counts)}`;
    case "stopping":
      return `shutting down\n${printCounts(counts)}`;
    case "online":
      return counts.booting > 0 ? `booting\n${printCounts(counts)}` : printOnline(counts);
  }
}

export function printOnline({ online }: Pick<Counts, "online">): string {
  return `workers online: ${online}`;
}

/** One line for each worker that a command waits for. */
export function printWaiting(workers: readonly WorkerInfo[]): string[] {
  return workers.map(
    ({ slot, pid, status, seconds }) =>
      `waiting for worker ${slot} (pid ${pid}): ${status} for ${Math.floor(seconds)} s`,
  );
}

/** A daemon that does not answer. `stopped`: by a signal. */
export function printSilent(pid?: number, stopped = false): string {
  const who = pid === undefined ? "naught" : `naught (pid ${pid})`;
  return `waiting for ${who}, which does not answer${stopped ? ": it is stopped" : ""}`;
}

export const crashedAtBoot = "The server crashed without booting. Check stderr.log.";
export const deployFailed = "Deploy failed. Check stderr.log and usage of 'online' and 'shutdown' events.";
export const deployInProgress = "Deploy already in progress. Press Ctrl+C to abort.";
export const alreadyShuttingDown = [
  "Waiting for shutdown already in progress.",
  "If it hangs, Ctrl+C this command and try it again with --timeout 1",
].join("\n");
export const notLogged = "nothing of that is logged to a file";
export const unknownWorker =
  "--worker needs lines that say whose they are: start with --log-prefix worker or --log-format json";
export const notRunning = "server not running";
export const noDeploy = "no deploy in progress";
export const deployAborted = "deploy aborted";
export const abortingDeploy = "aborting deploy";
export const deployDetached = "detached; the deploy goes on";
export const startDetached = "detached; the start goes on";
export const stopDetached = "detached; the stop goes on";
export const startRolledBack = "start rolled back";
export const startStopped = "the server was stopped before it was online";

export const stillConnected = "the server has stopped, but the daemon does not end";

/** How a stop ended whose daemon died, by the processes that are left. */
export function printDaemonDied(left: readonly number[]): string {
  if (left.length === 0) return "the daemon died, and nothing is left of the server";
  const processes = left.length === 1 ? "1 process" : `${left.length} processes`;
  return `the daemon died, and ${processes} of the server ${left.length === 1 ? "is" : "are"} left (pid ${left.join(", ")})`;
}

export function printLeft(pid: number | undefined): string {
  return `gave up waiting; the daemon (pid ${pid ?? "unknown"}) may still be running`;
}

/** Why something failed, where there is something to say. */
export function printFailure({ reason, stderr }: Pick<Settled | Started, "reason" | "stderr">): string[] {
  const lines = reason ? [reason] : [];
  if (stderr && stderr.length > 0) {
    lines.push("last lines of its stderr:", ...stderr.map((line) => `    ${line}`));
  }
  return lines;
}

export function printDone(killed: number): string {
  if (killed === 0) return "done";
  return killed === 1
    ? "done, 1 old worker had to be killed"
    : `done, ${killed} old workers had to be killed`;
}

export function printUnanswered(ipcFile: string): string {
  return [
    cannotConnect(ipcFile),
    "",
    "1. the ipc file specified is invalid, or",
    "2. the daemon process died unexpectedly",
  ].join("\n");
}

export function printRemoving(ipcFile: string): string {
  return [cannotConnect(ipcFile), "", "removing the ipc-file and attempting to continue"].join("\n");
}

export function printUnreachable(ipcFile: string, why: string): string {
  return `${cannotConnect(ipcFile)}: ${why}`;
}

function cannotConnect(ipcFile: string): string {
  return `unable to connect to ipc-file \`${ipcFile}\``;
}

export function printCannotStart(why: string): string {
  return `unable to start daemon: ${why}`;
}

/** A call to another host that nobody answers any more. */
export function printLostLink(host: string, why: string, aftermath: string | undefined): string {
  return `the connection to ${host} was lost: ${why}${aftermath ? `; ${aftermath}` : ""}`;
}

/** `again` are the words of a command that waits for that deploy. */
export function printDeployGoesOn(again: string): string {
  return `the deploy goes on there, and \`${again}\` reports its end`;
}

/** What was wrong with the words that were typed. */
export function printUsageError(command: string | undefined, message: string): string {
  const [prefix, topic] = command
    ? [`naught ${command}`, `naught help ${command}`]
    : ["naught", "naught help"];
  return `${prefix}: ${message} (see: ${topic})`;
}

/** A request that was refused, or could not be done. */
export function printError(command: string | undefined, message: string): string {
  return `naught${command ? ` ${command}` : ""}: ${message.replace(/\s*\n\s*/g, " ")}`;
}
