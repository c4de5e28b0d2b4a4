/** The simulated tree is worth something: it catches every fault that is planted in it, and names the promise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { runTree } from "./tree.js";
import { scenario } from "./tree-adversary.js";
import { treeFaults } from "./tree-faults.js";
import { BrokenPromise, promises } from "./tree-promises.js";

/** Always the same histories, unless asked for others: whether a fault is found does not depend on luck. */
const seed = Number(process.env.SEED ?? 1);
/** Within so many histories a fault has to show. */
const patience = 1500;

test("every promise is broken by some fault", () => {
  const broken = new Set(treeFaults.flatMap(({ breaks }) => breaks));
  assert.deepEqual([...broken].sort(), Object.keys(promises).sort());
});

for (const { does, breaks, plant } of treeFaults) {
  const wanted = breaks.map((name) => promises[name]).join(" | ");
  test(`a server whose ${does} is caught: ${wanted}`, (t) => {
    const property = fc.property(scenario, (chosen) => void runTree(chosen, plant));
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
