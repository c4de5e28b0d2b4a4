/** The simulated world is worth something: it catches every fault that is planted in the pool, and names the promise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runHistory } from "./world.js";
import { scenario } from "./world-adversary.js";
import { poolFaults } from "./world-faults.js";
import { callFaults } from "./world-faults-calls.js";
import { healthFaults } from "./world-faults-health.js";
import { BrokenPromise, promises } from "./world-promises.js";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** Within so many histories a fault has to show. */
const patience = 4000;

const faults = [...poolFaults, ...callFaults, ...healthFaults];

test("every promise is broken by some fault", () => {
  const broken = new Set(faults.flatMap(({ breaks }) => breaks));
  assert.deepEqual([...broken].sort(), Object.keys(promises).sort());
});

for (const { does, breaks, plant } of faults) {
  const wanted = breaks.map((name) => promises[name]).join(" | ");
  test(`a pool that ${does} is caught: ${wanted}`, (t) => {
    const property = fc.property(scenario, (chosen) => void runHistory(chosen, plant()));
    const { failed, numRuns, errorInstance } = fc.check(property, {
      seed,
      numRuns: patience,
      endOnFailure: true,
    });
    assert.ok(failed, `not caught in ${patience} histories, SEED=${seed}`);
    t.diagnostic(`after ${numRuns} histories: ${errorInstance}`);
    assert.ok(errorInstance instanceof BrokenPromise, `${errorInstance}, SEED=${seed}`);
    assert.ok(breaks.includes(errorInstance.promise), `${errorInstance}, SEED=${seed}`);
  });
}
