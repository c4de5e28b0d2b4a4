/** Binds the options that were typed to their names: what clipanion is for. */
import { Cli, Command, Option } from "clipanion";
import { type CommandName, commandLine } from "./command-line.js";
import type { Bound } from "./parse.js";
import type { Words } from "./words.js";

export function bindWords(command: CommandName, { options, operands }: Words): Bound {
  // Those that were typed: what the parser is told of takes it time, and that they are known has been seen to.
  const typed = new Set(options.map((option) => option.slice(2, option.indexOf("="))));
  const names = Object.keys(commandLine[command].options).filter((name) => typed.has(name));
  class Line extends Command {
    static override paths = [[command]];
    readonly operands = Option.Rest();
    [option: `--${string}`]: unknown;

    constructor() {
      super();
      for (const name of names) this[`--${name}`] = Option.String(`--${name}`);
    }

    async execute(): Promise<void> {}
  }
  const bound = Cli.from(Line).process([command, ...options, "--", ...operands]) as Line;
  const values = Object.fromEntries(names.map((name) => [name, bound[`--${name}`]]));
  return { values, operands: bound.operands };
}
