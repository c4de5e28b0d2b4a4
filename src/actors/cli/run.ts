/** The CLI actor: carries out one command line and says with which status the process should end. */
import type { CommandName } from "./command-line.js";
import { findCommand, type Invocation, parseWords } from "./parse.js";
import { printUsageError } from "./print.js";
import type { Terminal } from "./terminal.js";
import { UsageError } from "./usage-error.js";
import { separateWords } from "./words.js";

export async function runCommandLine(argv: readonly string[], terminal: Terminal): Promise<number> {
  let command: CommandName | undefined;
  try {
    const [first, ...rest] = argv;
    if (first === undefined) return await refuseNothing(terminal);
    command = findCommand(first);
    return await perform(await parse(command, rest), terminal);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    terminal.err(printUsageError(command, error.message));
    return 2;
  }
}

async function parse(command: CommandName, argv: readonly string[]): Promise<Invocation> {
  const words = separateWords(command, argv);
  if (words.options.length === 0) return parseWords(command, words);
  return parseWords(command, words, (await import("./bind.js")).bindWords);
}

async function refuseNothing(terminal: Terminal): Promise<number> {
  const { printUsage } = await import("./help.js");
  terminal.err(printUsage());
  return 2;
}

/** Each command is loaded when it is needed: `status` should not pay for what `start` brings along. */
async function perform(invocation: Invocation, terminal: Terminal): Promise<number> {
  switch (invocation.command) {
    case "start":
      return (await import("./start.js")).runStart(invocation, terminal);
    case "stop":
      return (await import("./stop.js")).runStop(invocation, terminal);
    case "status":
      return (await import("./status.js")).runStatus(invocation, terminal);
    case "deploy":
      return (await import("./deploy.js")).runDeploy(invocation, terminal);
    case "deploy-abort":
      return (await import("./deploy-abort.js")).runDeployAbort(invocation, terminal);
    case "logs":
      return (await import("./logs.js")).runLogs(invocation, terminal);
    case "reopen-logs":
      return (await import("./reopen-logs.js")).runReopenLogs(invocation, terminal);
    case "bridge":
      return (await import("./bridge.js")).runBridge(invocation, terminal);
    case "version":
      return (await import("./version.js")).runVersion(terminal);
    case "help":
      return (await import("./help.js")).runHelp(invocation.operand, terminal);
  }
}
