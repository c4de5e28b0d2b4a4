/** What a run of the benchmarks was asked for on its command line. */
import { parseArgs } from "node:util";
import { type Name, names } from "./contenders/contender.js";

export const scenarioNames = [
  "deploys",
  "kills",
  "balance",
  "steady",
  "cli",
  "memory",
  "logs",
  "crash-loop",
  "scale",
  "protocol",
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface Options {
  readonly only: readonly ScenarioName[];
  readonly peers: readonly Name[];
  readonly quick: boolean;
  /** Half the rounds. */
  readonly short: boolean;
  readonly json: string | undefined;
  /** Write the page and the charts of the repository. */
  readonly publish: boolean;
  readonly profile: boolean;
}

export const usage = `npm run bench -- [options]
  --only a,b      scenarios: ${scenarioNames.join(", ")}
  --peers a,b     contenders: ${names.join(", ")}
  --quick         a short look; writes no page
  --short         half the rounds
  --json FILE     the results, all samples included
  --profile cli   instead: a CPU profile of \`naught status\``;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      peers: { type: "string" },
      quick: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      json: { type: "string" },
      profile: { type: "string" },
    },
  });
  if (values.profile !== undefined && values.profile !== "cli") throw new Error("--profile knows only cli");
  const only = choose("--only", scenarioNames, values.only);
  const peers = choose("--peers", names, values.peers);
  const isWhole = only.length === scenarioNames.length && peers.length === names.length;
  return {
    only,
    peers,
    quick: values.quick,
    short: values.short,
    json: values.json,
    publish: isWhole && !values.quick,
    profile: values.profile !== undefined,
  };
}

function choose<T extends string>(option: string, all: readonly T[], wanted: string | undefined): T[] {
  if (wanted === undefined) return [...all];
  const words = wanted.split(",").map((word) => word.trim());
  const unknown = words.find((word) => !all.some((each) => each === word));
  if (unknown !== undefined) throw new Error(`${option}: "${unknown}" is none of ${all.join(", ")}`);
  return all.filter((each) => words.includes(each));
}
