/** A whole server keeps its promises, whoever dies, is stopped or sleeps, in thousands of simulated histories. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runTree } from "./tree.js";
import { type Scenario, scenario } from "./tree-adversary.js";
import { realBrain } from "./tree-brain.js";
import { regressions } from "./tree-regressions.js";

const runs = Number(process.env.RUNS ?? 2000);
/** Always the same histories, unless others are asked for: `RUNS=100000 SEED=7`. */
const seed = Number(process.env.SEED ?? 1);

test(`whoever dies, a server comes back to rest in ${runs} histories`, (t) => {
  t.diagnostic(`SEED=${seed} RUNS=${runs}`);
  const reached = new Map<string, number>();
  const property = fc.property(scenario, (chosen) => {
    for (const what of runTree(chosen)) reached.set(what, (reached.get(what) ?? 0) + 1);
  });
  const details = fc.check(property, { seed, numRuns: runs });
  if (process.env.REACH) for (const [what, count] of [...reached].sort()) t.diagnostic(`${count} ${what}`);
  if (!details.failed) return;
  const [smallest] = details.counterexample ?? [];
  const story = smallest ? tellStory(smallest) : [];
  assert.fail([`${details.errorInstance}`, `SEED=${seed}`, JSON.stringify(smallest), ...story].join("\n"));
});

for (const [promise, chosen] of Object.entries(regressions)) {
  test(promise, () => void runTree(chosen));
}

function tellStory(chosen: Scenario): string[] {
  const lines: string[] = [];
  try {
    runTree(
      chosen,
      () => realBrain,
      (line) => lines.push(line),
    );
  } catch (error) {
    lines.push(`${error}`);
  }
  return lines
    .filter((line) => !line.includes("beat"))
    .slice(-200)
    .map((line) => line.slice(0, 300));
}
