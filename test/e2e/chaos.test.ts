/** Chaos in short. `npm run chaos -- --minutes 60 --seed N` does it at length. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runChaos } from "../support/chaos.js";
import { e2e } from "../support/naught.js";

const seconds = Number(process.env.CHAOS_SECONDS ?? 8);

for (const [seed, workers] of [
  [1, 1],
  [2, 2],
] as const)
  test(
    `whatever dies, stops and is deployed: nobody is hurt but who was in a killed worker's hands (seed ${seed})`,
    e2e(
      async (naught) => {
        const steps: string[] = [];
        const say = (line: string) => void steps.push(line);
        const { report, unexplained } = await runChaos(naught, { seed, workers, ms: seconds * 1000, say });
        assert.deepEqual(unexplained, [], `${steps.join("\n")}\n${JSON.stringify(report.failures)}`);
      },
      seconds * 1000 + 240_000,
    ),
  );
