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
  "endurance",
] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export const profiles = ["cli", "start", "worker"] as const;
export type ProfileName = (typeof profiles)[number];

export interface Options {
  readonly only: readonly ScenarioName[];
  readonly peers: readonly Name[];
  readonly quick: boolean;
  /** Half the rounds. */
  readonly short: boolean;
  readonly full: boolean;
  readonly json: string | undefined;
  /** Write into the repository what was found. */
  readonly keep: boolean;
  readonly render: boolean;
  readonly profile: ProfileName | undefined;
}

export const usage = `npm run bench -- [options]
  --only a,b       scenarios: ${scenarioNames.join(", ")}
  --peers a,b      contenders: ${names.join(", ")}
  --quick          a short look; keeps nothing
  --short          half the rounds
  --full           endurance, too, which takes a quarter of an hour by itself
  --json FILE      the results, all samples included
  --render         instead: makes bench/RESULTS.md and the charts of bench/results/*.json
  --profile NAME   instead: where the processor time goes: ${profiles.join(", ")}
What a scenario finds is kept in bench/results/, and the page is made of all that is kept there, unless the run is
quick or lacks contenders.`;

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      peers: { type: "string" },
      quick: { type: "boolean", default: false },
      short: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      json: { type: "string" },
      render: { type: "boolean", default: false },
      profile: { type: "string" },
    },
  });
  const usual = scenarioNames.filter((name) => name !== "endurance" || values.full);
  const peers = choose("--peers", names, values.peers) ?? [...names];
  const { quick, short, full, json, render, profile } = values;
  return {
    only: choose("--only", scenarioNames, values.only) ?? usual,
    peers,
    quick,
    short,
    full,
    json,
    keep: peers.length === names.length && !quick,
    render,
    profile: choose("--profile", profiles, profile)?.[0],
  };
}

function choose<T extends string>(
  option: string,
  all: readonly T[],
  wanted: string | undefined,
): T[] | undefined {
  if (wanted === undefined) return undefined;
  const words = wanted.split(",").map((word) => word.trim());
  const unknown = words.find((word) => !all.some((each) => each === word));
  if (unknown !== undefined) throw new Error(`${option}: "${unknown}" is none of ${all.join(", ")}`);
  return all.filter((each) => words.includes(each));
}
