/** From what the user typed to a command with its values. */
import { Cli, Command, Option } from "clipanion";
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
import { quote, separateWords } from "./words.js";

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

/** Throws a UsageError. */
export function parseCommand(command: CommandName, argv: readonly string[]): Invocation {
  const words = separateWords(command, argv);
  if (words.help) return { command: "help", options: {}, typed: {}, operand: command, tail: undefined };
  const { values, operands } = bindWords(command, words.options, words.operands);
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

function bindWords(
  command: CommandName,
  options: readonly string[],
  operands: readonly string[],
): { values: Record<string, unknown>; operands: string[] } {
  const names = Object.keys(commandLine[command].options);
  class Bound extends Command {
    static override paths = [[command]];
    readonly operands = Option.Rest();
    readonly values: Record<string, unknown> = {};
    [option: `--${string}`]: unknown;

    constructor() {
      super();
      for (const name of names) this[`--${name}`] = Option.String(`--${name}`);
    }

    async execute(): Promise<void> {}
  }
  const bound = Cli.from(Bound).process([command, ...options, "--", ...operands]) as Bound;
  const values = Object.fromEntries(names.map((name) => [name, bound[`--${name}`]]));
  return { values, operands: bound.operands };
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
