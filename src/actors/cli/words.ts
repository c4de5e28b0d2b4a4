/** The words of one command, told apart: options, operands, and what belongs to the user's script. */
import { type CommandName, type CommandSpec, commandLine } from "./command-line.js";
import { findClosest } from "./spelling.js";
import { UsageError } from "./usage-error.js";

export interface Words {
  /** Every option in the form `--name=value`. */
  readonly options: readonly string[];
  readonly operands: readonly string[];
  /** What followed the script, or `--`; undefined when there was no `--`. */
  readonly tail: readonly string[] | undefined;
  /** True: `--help` or `-h` was among the options. */
  readonly help: boolean;
}

/** Throws a UsageError at the first word that cannot be one of the command's. */
export function separateWords(command: CommandName, argv: readonly string[]): Words {
  const spec: CommandSpec = commandLine[command];
  const options: string[] = [];
  const operands: string[] = [];
  for (let index = 0; index < argv.length; index++) {
    const word = lengthen(spec, argv[index] ?? "");
    if (word === "--") return separateRest(spec, options, operands, argv.slice(index + 1));
    if (word === "-" || !word.startsWith("-")) {
      if (spec.operand === "script") return separateScript(options, argv.slice(index));
      operands.push(word);
    } else if (word === "--help" || word === "-h") {
      return { options, operands, tail: undefined, help: true };
    } else if (word.includes("=")) {
      checkOption(spec, word.slice(0, word.indexOf("=")));
      options.push(word);
    } else {
      checkOption(spec, word);
      const implied = findImplied(spec, word, argv[index + 1]);
      if (implied === undefined) index += 1;
      options.push(`${word}=${implied ?? requireValue(spec, word, argv[index])}`);
    }
  }
  return { options, operands, tail: undefined, help: false };
}

function separateRest(spec: CommandSpec, options: string[], operands: string[], rest: string[]): Words {
  if (spec.operand === "script") return separateScript(options, rest);
  if (spec.tail) return { options, operands, tail: rest, help: false };
  return { options, operands: [...operands, ...rest], tail: undefined, help: false };
}

function separateScript(options: string[], [script, ...tail]: string[]): Words {
  return { options, operands: script === undefined ? [] : [script], tail, help: false };
}

function checkOption(spec: CommandSpec, word: string): void {
  const names = listOptions(spec);
  if (names.includes(word)) return;
  if (names.length === 0)
    throw new UsageError(`unknown option ${quote(word)}; this command takes no options`);
  const closest = findClosest(word, names);
  throw new UsageError(`unknown option ${quote(word)}${closest ? `; did you mean ${quote(closest)}?` : ""}`);
}

// What follows a flag belongs to it only if it can be its value.
function findImplied(spec: CommandSpec, word: string, next: string | undefined): string | undefined {
  const type = spec.options[word.slice(2)]?.type;
  return next !== undefined && type?.read(next) !== undefined ? undefined : type?.implied;
}

function requireValue(spec: CommandSpec, word: string, value: string | undefined): string {
  const expects = spec.options[word.slice(2)]?.type.expects;
  if (value === undefined) throw new UsageError(`${word} needs a value: ${expects}`);
  // Far more likely a forgotten value than a meant one; what is meant can be said with "=".
  const isOption = value === "--" || listOptions(spec).includes(value.split("=", 1)[0] ?? "");
  if (isOption) throw new UsageError(`${word} needs a value (${expects}) before ${quote(value)}`);
  return value;
}

function listOptions(spec: CommandSpec): string[] {
  return Object.keys(spec.options).map((name) => `--${name}`);
}

/** `-n` stands for `--lines`, say. */
function lengthen(spec: CommandSpec, word: string): string {
  const [name] = Object.entries(spec.options).find(([, { short }]) => short && word === `-${short}`) ?? [];
  return name === undefined ? word : `--${name}`;
}

/** As JSON, so that the line stays one line whatever was typed. */
export function quote(word: string): string {
  return JSON.stringify(word.length > 200 ? `${word.slice(0, 200)}…` : word);
}
