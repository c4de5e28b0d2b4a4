/** A simulation is worth something when it catches every fault that is planted in the code under test, and names the promise. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BrokenPromise } from "./broken-promise.js";

interface Planted<Name extends string> {
  /** Ends the sentence that `subject` begins. */
  readonly does: string;
  /** The promise that it breaks, or each that it may break first. */
  readonly breaks: readonly Name[];
}

/** `patience`: within so many histories a fault has to show. */
export function testFaults<Name extends string, Fault extends Planted<Name>, Scenario>(
  subject: string,
  faults: readonly Fault[],
  simulation: {
    readonly promises: Readonly<Record<Name, string>>;
    readonly scenario: fc.Arbitrary<Scenario>;
    readonly run: (chosen: Scenario, fault: Fault) => void;
    readonly seed: number;
    readonly patience: number;
  },
): void {
  const { promises, scenario, run, seed, patience } = simulation;
  test("every promise is broken by some fault", () => {
    const broken = new Set(faults.flatMap(({ breaks }) => breaks));
    assert.deepEqual([...broken].sort(), Object.keys(promises).sort());
  });
  for (const fault of faults) {
    const wanted = fault.breaks.map((name) => promises[name]).join(" | ");
    test(`${subject} ${fault.does} is caught: ${wanted}`, (t) => {
      const property = fc.property(scenario, (chosen) => run(chosen, fault));
      const { failed, numRuns, errorInstance } = fc.check(property, {
        seed,
        numRuns: patience,
        endOnFailure: true,
      });
      assert.ok(failed, `not caught in ${patience} histories, SEED=${seed}`);
      t.diagnostic(`after ${numRuns} histories: ${errorInstance}`);
      assert.ok(errorInstance instanceof BrokenPromise, `${errorInstance}, SEED=${seed}`);
      const { promise } = errorInstance;
      assert.ok(
        fault.breaks.some((name) => name === promise),
        `${errorInstance}, SEED=${seed}`,
      );
    });
  }
}
