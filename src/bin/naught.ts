/** The program `naught`: the command line as a process. */
import { printError } from "../actors/cli/print.js";
import { runCommandLine } from "../actors/cli/run.js";
import { openTerminal } from "../actors/cli/terminal.js";

const terminal = openTerminal();
// A command whose event loop runs dry before it has an outcome has not succeeded.
process.exitCode = 1;

async function end(exitCode: number): Promise<void> {
  await terminal.flush();
  process.exit(exitCode);
}

function crash(error: unknown): void {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  terminal.err(process.env.NAUGHT_DEBUG === "1" && stack ? stack : printError(undefined, message));
  end(1);
}

// The system leaves the first process of a container alone with every signal that it has no handler for: what becomes of
// all others is done here, wherever nobody else wants the signal.
if (process.pid === 1) {
  for (const signal of ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const) {
    process.on(signal, (_name: NodeJS.Signals, number: number) => {
      if (process.listenerCount(signal) === 1) process.exit(128 + number);
    });
  }
}

process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);
runCommandLine(process.argv.slice(2), terminal).then(end, crash);
