/** The daemon's machine keeps its promises through any history of clients, files, masters and timers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { step } from "../../src/actors/daemon/machine.js";
import type { Effect } from "../../src/actors/daemon/state.js";
import { openWorld, type Step } from "./daemon-world.js";

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const numRuns = Number(process.env.RUNS ?? 20_000);

/** How far the history is led before the adversary takes over: most of them far enough to be deep. */
const history = fc.record({
  led: fc.nat({ max: 9 }),
  choices: fc.array(fc.noBias(fc.nat({ max: 2 ** 31 - 1 })), { maxLength: 60, size: "max" }),
});

function play(
  behave: Step,
  { led, choices }: { led: number; choices: readonly number[] },
): ReadonlySet<string> {
  const world = openWorld(behave);
  if (led > 0) world.start();
  if (led > 2) world.calm();
  for (const choice of choices) world.act(choice);
  world.calm();
  world.stop();
  world.calm();
  assert.ok(world.ended, "a stop ends everything");
  return world.reached;
}

test(`${numRuns} histories`, (t) => {
  t.diagnostic(`SEED=${seed}`);
  const reached = new Map<string, number>();
  const property = fc.property(history, (each) => {
    for (const what of play(step, each)) reached.set(what, (reached.get(what) ?? 0) + 1);
  });
  fc.assert(property, { seed, numRuns });
  t.diagnostic(deep.map((what) => `${what}: ${reached.get(what) ?? 0}`).join(", "));
  if (numRuns < 5_000) return;
  for (const what of deep) {
    assert.ok(
      (reached.get(what) ?? 0) > numRuns / 2000,
      `too few histories reach: ${what} (${reached.get(what) ?? 0})`,
    );
  }
});

const deep = [
  "a second master",
  "death during a deploy",
  "deploy while running",
  "resolved while stopping",
  "reviveMaster while gone",
  "masterExited while running",
  "masterExited while stopping",
  "masterSteady while running",
  "openFailed while opening",
  "stop while empty",
  "stop while opening",
  "stop while running",
  "stop while stopping",
  "stop while closing",
  "stop while gone",
  "start while gone",
];

type Fault = (effects: readonly Effect[]) => readonly Effect[];
const without =
  (type: Effect["type"]): Fault =>
  (effects) =>
    effects.filter((each) => each.type !== type);
const twice =
  (type: Effect["type"]): Fault =>
  (effects) =>
    effects.flatMap((each) => (each.type === type ? [each, each] : [each]));
const changed =
  (change: (effect: Effect) => Effect): Fault =>
  (effects) =>
    effects.map(change);

const faults: readonly { readonly fault: string; readonly plant: Fault; readonly found: RegExp }[] = [
  { fault: "an answer is forgotten", plant: without("reply"), found: /left without an answer|wait for ever/ },
  { fault: "an answer is given twice", plant: twice("reply"), found: /answered twice/ },
  { fault: "the end comes twice", plant: twice("end"), found: /the end comes once/ },
  { fault: "the close is forgotten", plant: without("close"), found: /wait for ever|a stop ends/ },
  { fault: "two masters are started", plant: twice("startMaster"), found: /one master at a time/ },
  {
    fault: "a dead master has no successor",
    plant: without("later"),
    found: /has a master|wait for ever|a stop ends/,
  },
  { fault: "an event is not logged", plant: without("log"), found: /in the log/ },
  {
    fault: "an event loses its number",
    plant: changed((each) =>
      each.type === "event" ? { ...each, event: { ...each.event, sequence: 1 } } : each,
    ),
    found: /without gaps/,
  },
  {
    fault: "a new master serves something else",
    plant: changed((each) =>
      each.type === "startMaster" && each.start.resume
        ? { ...each, start: { ...each.start, workerCount: each.start.workerCount + 1 } }
        : each,
    ),
    found: /what the last one served/,
  },
];
for (const { fault, plant, found } of faults) {
  test(`planted fault: ${fault}`, () => {
    const faulty: Step = (state, message, time, at) => {
      const { state: after, effects } = step(state, message, time, at);
      return { state: after, effects: plant(effects) };
    };
    const property = fc.property(history, (each) => void play(faulty, each));
    const { failed, errorInstance } = fc.check(property, { seed, numRuns: 2_000, endOnFailure: true });
    assert.ok(failed, "nobody noticed");
    assert.match(String((errorInstance as Error).message), found);
  });
}
