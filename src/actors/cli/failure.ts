/** Errors of a call: told in one line, with the exit status that the table of errors gives. */
import { errorTable, NaughtError } from "../../protocol/errors.js";
import type { CommandName } from "./command-line.js";
import { printError } from "./print.js";
import type { Terminal } from "./terminal.js";

/** Returns the exit status. Whatever is not an answer to a call is thrown on. */
export function reportError(command: CommandName, error: unknown, terminal: Terminal): number {
  if (error instanceof NaughtError) {
    terminal.err(printError(command, error.message));
    return errorTable[error.kind].exit;
  }
  if (!isAnswer(error)) throw error;
  terminal.err(printError(command, error.message));
  return 1;
}

export function isError(error: unknown, kind: NaughtError["kind"]): error is NaughtError {
  return error instanceof NaughtError && error.kind === kind;
}

// An error on the wire that is not one of naught's own: JSON-RPC's, or a newer daemon's.
function isAnswer(error: unknown): error is Error & { code: number } {
  return error instanceof Error && typeof (error as { code?: unknown }).code === "number";
}
