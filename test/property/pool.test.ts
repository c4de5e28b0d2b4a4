/** The pool keeps its promises in thousands of simulated histories, and those histories go deep. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runHistory } from "./world.js";
import { regressions } from "./world-regressions.js";
import { assertHistories } from "./world-story.js";

const runs = Number(process.env.RUNS ?? 20_000);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** Of 10,000 histories so many at least get there. */
const reach: Readonly<Record<string, number>> = {
  "start in nothing": 9000,
  "start in rest": 200,
  "new online in boot": 5000,
  "new crash in boot": 50,
  "stop in boot": 10,
  "deploy in boot": 20,
  "deploy in rest": 4000,
  "deploy in back-off": 200,
  "deploy in booting": 500,
  "deploy in leaving": 500,
  "deploy in destroying": 50,
  "new online in booting": 3000,
  "new crash in booting": 500,
  "new offline in booting": 200,
  "old crash in booting": 400,
  "old offline in booting": 300,
  "old online in booting": 500,
  "old crash in destroying": 30,
  "old online in destroying": 30,
  "new crash in leaving": 300,
  "new offline in leaving": 200,
  "new online in leaving": 300,
  "old exit in leaving": 2000,
  "abortDeploy in booting": 100,
  "abortDeploy in destroying": 20,
  "abortDeploy in leaving": 150,
  "timer deploy in booting": 500,
  "timer deploy in leaving": 300,
  "attachDeploy in booting": 80,
  "attachDeploy in leaving": 80,
  "attachDeploy in rest": 300,
  "stop in booting": 80,
  "stop in destroying": 10,
  "stop in leaving": 80,
  "stop in back-off": 50,
  "stop in rest": 500,
  "stop in stop": 50,
  "timer stop in stop": 300,
  "timer slot in back-off": 500,
  "timer slot in booting": 50,
  "timer slot in leaving": 50,
  "timer steady in rest": 1000,
  "crash in back-off": 50,
  "offline in back-off": 30,
  "late online in destroying": 50,
  "late online in leaving": 100,
  "late offline in rest": 200,
  "stale online in rest": 20,
  "stale offline in rest": 10,
  // Timers that fired as they were cleared.
  "timer deploy in rest": 2,
  "timer deploy in destroying": 1,
  "timer waiting in rest": 1,
};

test(`the pool keeps its promises in ${runs} histories, which reach deep`, (t) => {
  t.diagnostic(`SEED=${seed} RUNS=${runs}`);
  const reached = new Map<string, number>();
  assertHistories(seed, runs, (labels) => {
    for (const what of labels) reached.set(what, (reached.get(what) ?? 0) + 1);
  });
  if (process.env.REACH) for (const [what, count] of [...reached].sort()) t.diagnostic(`${count} ${what}`);
  // A short run says nothing about what is rare.
  if (runs < 10_000) return;
  for (const [what, least] of Object.entries(reach)) {
    const share = ((reached.get(what) ?? 0) * 10_000) / runs;
    assert.ok(share >= least, `"${what}" in ${share} of 10,000 histories, SEED=${seed}`);
  }
});

for (const [promise, scenario] of Object.entries(regressions)) {
  test(promise, () => void runHistory(scenario));
}
