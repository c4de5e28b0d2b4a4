/** A whole command line, parsed in one go. */
import { bindWords } from "../../src/actors/cli/bind.js";
import type { CommandName } from "../../src/actors/cli/command-line.js";
import { type Invocation, parseWords } from "../../src/actors/cli/parse.js";
import { separateWords } from "../../src/actors/cli/words.js";

/** Throws a UsageError. */
export function parseCommand(command: CommandName, argv: readonly string[]): Invocation {
  const words = separateWords(command, argv);
  const parsed = parseWords(command, words, bindWords);
  // The short way is the same where it is taken.
  return words.options.length === 0 ? parseWords(command, words) : parsed;
}
