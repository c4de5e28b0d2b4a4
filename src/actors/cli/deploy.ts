/** `naught deploy` */
import { resolve } from "node:path";
import type { Deploy, Settled } from "../../protocol/types.js";
import { cleanEnvironment } from "../environment.js";
import { callDaemon } from "./call.js";
import { buildDrain } from "./drain-options.js";
import { isError, reportError } from "./failure.js";
import { waitInterruptibly } from "./interrupt.js";
import type { InvocationOf } from "./parse.js";
import {
  abortingDeploy,
  deployAborted,
  deployDetached,
  deployFailed,
  deployInProgress,
  printDone,
  printFailure,
} from "./print.js";
import type { DaemonPeer } from "./reach.js";
import type { Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";

export async function runDeploy(invocation: InvocationOf<"deploy">, terminal: Terminal): Promise<number> {
  const { command, operand: ipcFile } = invocation;
  const deploy = buildDeploy(invocation, process.env);
  return callDaemon({ command, ipcFile, terminal, absent: 1 }, async (peer) => {
    const settled = await waitInterruptibly(settle(peer, deploy, terminal), ["SIGINT"], (count) => {
      if (count > 1) return "leave";
      terminal.err(abortingDeploy);
      abort(peer, terminal);
      return "wait";
    });
    return reportSettled(settled, terminal);
  });
}

/** What is sent of what was typed; paths are resolved against the caller's directory. */
export function buildDeploy(
  { options, tail }: Pick<InvocationOf<"deploy">, "options" | "tail">,
  environment: NodeJS.ProcessEnv,
): Deploy {
  const { timeout, cwd, script } = options;
  if (options["replace-env"] && !options["override-env"]) {
    throw new UsageError("--replace-env true cannot be combined with --override-env false");
  }
  return {
    workerCount: options["worker-count"],
    ...(options["override-env"] && { env: cleanEnvironment(environment) }),
    ...(options["replace-env"] && { replaceEnv: true }),
    ...(timeout !== null && { timeout }),
    ...buildDrain(options),
    ...(cwd !== undefined && { cwd: resolve(cwd) }),
    ...(script !== undefined && { script: resolve(script) }),
    ...(options["node-args"] && { nodeArgs: options["node-args"] }),
    ...(tail && { args: [...tail] }),
  };
}

/** A deploy that somebody else began is waited for in place of one's own. */
async function settle({ client }: DaemonPeer, deploy: Deploy, terminal: Terminal): Promise<Settled> {
  try {
    return await client.deploy(deploy);
  } catch (error) {
    const other = isError(error, "DeployInProgress") ? findDeploy(error.data) : undefined;
    if (other === undefined) throw error;
    terminal.err(deployInProgress);
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
