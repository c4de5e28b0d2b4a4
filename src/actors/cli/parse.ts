/** From what the user typed to a command with its values. */
import {
  type CommandName,
  type CommandSpec,
  commandLine,
  commandNames,
  isCommandName,
  type Values,
} from "./command-line.js";
import { findClosest } from "./spelling.js";
import { UsageError } from "./usage-error.js";
import { quote, type Words } from "./words.js";

/** One command as it is to be carried out. */
export interface InvocationOf<K extends CommandName> {
  readonly command: K;
  readonly options: Values<K>;
  /** The options that were typed, as they were typed. */
  readonly typed: Readonly<Record<string, string>>;
  readonly operand: string | undefined;
  /** The script's own arguments. */
  readonly tail: readonly string[] | undefined;
}

export type Invocation = { [K in CommandName]: InvocationOf<K> }[CommandName];

/** The values of the options as texts, and the operands; `undefined` where an option was not typed. */
export interface Bound {
  readonly values: Readonly<Record<string, unknown>>;
  readonly operands: readonly string[];
}

/** Throws a UsageError. `bind` is needed where options were typed, and only there: loading it takes its time. */
export function parseWords(
  command: CommandName,
  words: Words,
  bind?: (command: CommandName, words: Words) => Bound,
): Invocation {
  if (words.help) return { command: "help", options: {}, typed: {}, operand: command, tail: undefined };
  const { values, operands } = bind?.(command, words) ?? { values: {}, operands: words.operands };
  const operand = checkOperands(command, operands);
  return {
    command,
    options: readValues(command, values),
    typed: dropMissing(values),
    operand,
    tail: words.tail,
  } as unknown as Invocation;
}

/** The command that a first word names; throws a UsageError. */
export function findCommand(word: string): CommandName {
  if (word === "--help" || word === "-h") return "help";
  if (word === "--version" || word === "-v") return "version";
  if (isCommandName(word)) return word;
  const kind = word.startsWith("-") ? "option" : "command";
  const closest = findClosest(word, commandNames);
  throw new UsageError(`unknown ${kind} ${quote(word)}${closest ? `; did you mean ${quote(closest)}?` : ""}`);
}

function dropMissing(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

function checkOperands(command: CommandName, operands: readonly string[]): string | undefined {
  const spec: CommandSpec = commandLine[command];
  const [operand, extra] = spec.operand === "none" ? [undefined, operands[0]] : operands;
  if (extra !== undefined) {
    const hint = spec.tail ? '; the script\'s arguments come after "--"' : "";
    throw new UsageError(`unexpected argument ${quote(extra)}${hint}`);
  }
  if (spec.operand === "script" && !operand) throw new UsageError("the script to run is missing");
  if (spec.operand === "ipc-file" && operand === "")
    throw new UsageError("the ipc-file should be a path, not an empty one");
  return operand;
}

function readValues(command: CommandName, texts: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const spec: CommandSpec = commandLine[command];
  const values = Object.entries(spec.options).map(([name, option]) => {
    const text = texts[name] ?? option.default;
    if (typeof text !== "string") return [name, undefined];
    const value = option.type.read(text);
    if (value === undefined) {
      throw new UsageError(`--${name} should be ${option.type.expects}, not ${quote(text)}`);
    }
    return [name, value];
  });
  return Object.fromEntries(values);
}
