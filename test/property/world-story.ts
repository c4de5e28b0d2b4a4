/** Runs a property over scenarios and, when it fails, says the seed, the smallest scenario and what happened in it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { Step } from "./world.js";
import { runHistory } from "./world.js";
import { type Scenario, scenario } from "./world-adversary.js";

/** More lines than this nobody reads. */
const longestStory = 120;

export function assertHistories(
  seed: number,
  numRuns: number,
  note: (reached: ReadonlySet<string>) => void,
): void {
  const property = fc.property(scenario, (chosen) => note(runHistory(chosen)));
  const details = fc.check(property, { seed, numRuns });
  if (!details.failed) return;
  const [smallest] = details.counterexample ?? [];
  const story = smallest ? tellStory(smallest) : [];
  const lines = [`${details.errorInstance}`, `SEED=${seed}`, JSON.stringify(smallest), ...story];
  assert.fail(lines.join("\n"));
}

/** What happened, message by message, with the broken promise last. */
export function tellStory(chosen: Scenario, play?: Step): string[] {
  const lines: string[] = [];
  try {
    runHistory(chosen, play, (line) => lines.push(line));
  } catch (error) {
    lines.push(`${error}`);
  }
  return lines.slice(-longestStory);
}
