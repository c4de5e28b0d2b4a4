/** `naught deploy` */
import { isAbsolute, resolve } from "node:path";
import { quoteWords } from "../../client/shell.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Deploy, Settled } from "../../protocol/types.js";
import { cleanEnvironment } from "../environment.js";
import { callDaemon } from "./call.js";
import { buildDrain } from "./drain-options.js";
import { greet, isElsewhere } from "./elsewhere.js";
import { isError, reportError } from "./failure.js";
import { waitInterruptibly } from "./interrupt.js";
import { buildLimitChanges } from "./limit-options.js";
import type { InvocationOf } from "./parse.js";
import {
  abortingDeploy,
  deployAborted,
  deployDetached,
  deployFailed,
  deployInProgress,
  printDeployGoesOn,
  printDone,
  printFailure,
} from "./print.js";
import type { DaemonPeer } from "./reach.js";
import { findRemote, type Remote } from "./remote.js";
import type { Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";
import { quote } from "./words.js";

export async function runDeploy(invocation: InvocationOf<"deploy">, terminal: Terminal): Promise<number> {
  const { command, operand: ipcFile, options } = invocation;
  // Before anybody is called: what was typed may make no sense.
  const remote = findRemote(options, process.env);
  const local = buildDeploy(invocation, process.env, remote !== undefined);
  // Told again to a daemon that follows one which has died, it is the same deploy.
  const ownId = `${process.pid.toString(36)}-${Math.random().toString(36).slice(2, 10)}`;
  let id: string | undefined;
  const aftermath = (): string | undefined => id && printDeployGoesOn(printAttach(id, remote, ipcFile));
  return callDaemon({ command, options, ipcFile, terminal, absent: 1, aftermath }, async (peer) => {
    if (options.attach === "") throw new UsageError("--attach needs the id of a deploy, or `current`");
    const distant = remote !== undefined || isElsewhere(await greet(peer));
    let outcome: Promise<Settled>;
    if (options.attach !== undefined) {
      const current = await findCurrent(peer);
      const wanted = options.attach === "current" ? current : options.attach;
      if (wanted === undefined) throw new NaughtError("NoDeployInProgress");
      if (wanted === current) terminal.err(deployInProgress);
      id = wanted;
      outcome = peer.client.attachDeploy({ deploy: wanted });
    } else if (distant) {
      // Known before the answer, so that a lost connection does not leave the user without a name for the deploy.
      id = (await import("node:crypto")).randomUUID().slice(0, 8);
      const deploy = remote ? local : buildDeploy(invocation, process.env, true);
      outcome = settle(peer, { ...deploy, id }, terminal, (other) => {
        id = other;
      });
    } else {
      outcome = settle(peer, { ...local, id: ownId }, terminal, () => {});
    }
    const settled = await waitInterruptibly(outcome, ["SIGINT"], (count) => {
      if (count > 1) return "leave";
      terminal.err(abortingDeploy);
      abort(peer, terminal);
      return "wait";
    });
    return reportSettled(settled, terminal);
  });
}

/** `distant`: for another machine, which gets no more of this one's environment and directories than was typed. */
export function buildDeploy(
  { options, tail, typed }: Pick<InvocationOf<"deploy">, "options" | "tail" | "typed">,
  environment: NodeJS.ProcessEnv,
  distant = false,
): Deploy {
  const { timeout, cwd, script } = options;
  const overrideEnv = options["override-env"] && (!distant || typed["override-env"] !== undefined);
  if (options["replace-env"] && !overrideEnv) {
    throw new UsageError(
      distant && options["override-env"]
        ? "--replace-env true on another host needs --override-env true beside it"
        : "--replace-env true cannot be combined with --override-env false",
    );
  }
  if (distant && typed["worker-count"] === "auto") {
    throw new UsageError("--worker-count auto would count the processors of this host; type a number");
  }
  const locate = distant ? requireAbsolute : (_name: string, path: string) => resolve(path);
  return {
    workerCount: options["worker-count"],
    ...(overrideEnv && { env: cleanEnvironment(environment) }),
    ...(options["replace-env"] && { replaceEnv: true }),
    ...(timeout !== null && { timeout }),
    ...buildDrain(options),
    ...buildLimitChanges(options),
    ...(cwd !== undefined && { cwd: locate("--cwd", cwd) }),
    ...(script !== undefined && { script: locate("--script", script) }),
    ...(options["node-args"] && { nodeArgs: options["node-args"] }),
    ...(tail && { args: [...tail] }),
  };
}

// The directory that a command is typed in says nothing about another machine.
function requireAbsolute(name: string, path: string): string {
  if (isAbsolute(path)) return path;
  throw new UsageError(`${name} should be an absolute path on another host, not ${quote(path)}`);
}

/** The words that wait for the deploy again. */
function printAttach(id: string, remote: Remote | undefined, ipcFile: string | undefined): string {
  return [
    "naught deploy",
    ...(remote ? [`--host ${remote.destination.text}`] : []),
    `--attach ${id}`,
    ...(ipcFile === undefined ? [] : [quoteWords([ipcFile])]),
  ].join(" ");
}

/** Undefined also where a bridge does not let anybody ask. */
async function findCurrent({ client }: DaemonPeer): Promise<string | undefined> {
  try {
    return (await client.status({})).deploy;
  } catch (error) {
    if (isError(error, "NotAllowed")) return undefined;
    throw error;
  }
}

/** A deploy that somebody else began is waited for in place of one's own. */
async function settle(
  { client }: DaemonPeer,
  deploy: Deploy,
  terminal: Terminal,
  onJoin: (id: string) => void,
): Promise<Settled> {
  try {
    return await client.deploy(deploy);
  } catch (error) {
    const other = isError(error, "DeployInProgress") ? findDeploy(error.data) : undefined;
    if (other === undefined) throw error;
    terminal.err(deployInProgress);
    onJoin(other);
    return client.attachDeploy({ deploy: other });
  }
}

function findDeploy(data: unknown): string | undefined {
  const deploy = typeof data === "object" && data !== null && "deploy" in data ? data.deploy : undefined;
  return typeof deploy === "string" ? deploy : undefined;
}

function abort({ client }: DaemonPeer, terminal: Terminal): void {
  client.abortDeploy({}).catch((error: unknown) => {
    // Then the deploy has just ended, or its own call says the same.
    if (isError(error, "NoDeployInProgress") || isError(error, "Lost")) return;
    reportError("deploy", error, terminal);
  });
}

function reportSettled(settled: Settled | undefined, terminal: Terminal): number {
  switch (settled?.outcome) {
    case "done":
      terminal.err(printDone(settled.killed));
      return 0;
    case "failed":
      terminal.out(deployFailed);
      for (const line of printFailure(settled)) terminal.err(line);
      return 1;
    case "aborted":
      terminal.err(deployAborted);
      return 1;
    case undefined:
      terminal.err(deployDetached);
      return 1;
  }
}
