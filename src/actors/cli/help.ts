/** `naught help`: the texts are made of the table of commands. */
import { type CommandName, type CommandSpec, commandLine, commandNames } from "./command-line.js";
import type { Option } from "./option.js";
import { findCommand } from "./parse.js";
import type { Terminal } from "./terminal.js";

export function runHelp(topic: string | undefined, terminal: Terminal): number {
  terminal.out(topic === undefined ? printUsage() : printHelp(findCommand(topic)));
  return 0;
}

/** What `naught` alone says. */
export function printUsage(): string {
  const width = Math.max(...commandNames.map((name) => name.length));
  return [
    "Usage: naught COMMAND [options]",
    "",
    ...wrap("Runs a node.js server as a cluster of workers and replaces its code without downtime."),
    "",
    ...commandNames.map((name) => `    naught ${name.padEnd(width)}  ${commandLine[name].summary}`),
    "",
    ...wrap(
      "Options are written `--option value` or `--option=value`. `naught help COMMAND` explains a command.",
    ),
  ].join("\n");
}

export function printHelp(command: CommandName): string {
  const spec: CommandSpec = commandLine[command];
  const options = Object.entries(spec.options);
  return [
    `Usage: naught ${spec.usage}`,
    "",
    spec.summary,
    ...spec.details.flatMap((paragraph) => ["", ...wrap(paragraph)]),
    ...(options.length > 0 ? ["", "Options, their defaults, and what they take:"] : []),
    ...options.flatMap(([name, option]) => [
      "",
      `    ${`--${name} ${printDefault(option)}`.padEnd(32)} ${option.type.placeholder}`,
      ...wrap(option.help, 8),
    ]),
  ].join("\n");
}

/** As it would be typed. */
export function printDefault({ default: text, unset = "" }: Option): string {
  return text === undefined ? unset : text === "" ? "''" : text;
}

function wrap(paragraph: string, indent = 0): string[] {
  const width = 80 - indent;
  const lines: string[] = [];
  let line = "";
  for (const word of paragraph.split(" ")) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  return [...lines, line].map((text) => " ".repeat(indent) + text);
}
