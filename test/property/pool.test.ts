/** The pool keeps its promises in thousands of simulated histories, and the histories go deep. */
import { test } from "node:test";
import { assertHistories } from "./world-story.js";

const runs = Number(process.env["RUNS"] ?? 20_000);
const seed = Number(process.env["SEED"] ?? Date.now() % 2 ** 31);

test(`the pool keeps its promises in ${runs} histories`, (t) => {
  t.diagnostic(`SEED=${seed} RUNS=${runs}`);
  const reached = new Map<string, number>();
  assertHistories(seed, runs, (labels) => {
    for (const what of labels) reached.set(what, (reached.get(what) ?? 0) + 1);
  });
  for (const [what, n] of [...reached].sort()) t.diagnostic(`${n} ${what}`);
});
