/** The pulse: who is given up for silence, and when; and that nobody is after a sleep. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startPulse } from "../../src/actors/pulse.js";
import { tick, watchDeath } from "../../src/actors/silence.js";

function stage({ isStopped = true } = {}) {
  const seen = { beats: 0, silent: [] as string[] };
  let now = 0;
  let fire = (): void => {};
  const every = ((callback: () => void) => {
    fire = callback;
    return setInterval(() => {}, 1e6).unref();
  }) as unknown as typeof setInterval;
  const pulse = startPulse(
    {
      beat: () => {
        seen.beats += 1;
      },
      isStopped: () => isStopped,
      silent: (how) => seen.silent.push(how) > 0,
      now: () => now,
    },
    every,
  );
  const pass = (ticks: number, ms = tick): void => {
    for (let passed = 0; passed < ticks; passed += 1) {
      now += ms;
      fire();
    }
  };
  // It is there, and past its birth.
  pass(8);
  pulse.heard();
  return { seen, pulse, pass };
}

test("it beats at every tick", () => {
  const { seen, pass } = stage();
  pass(3);
  assert.equal(seen.beats, 11);
});

test("a stopped process is given up after eight ticks of silence", () => {
  const { seen, pass } = stage();
  pass(7);
  assert.deepEqual(seen.silent, []);
  pass(1);
  assert.deepEqual(seen.silent, ["has been stopped"]);
});

test("one that is only busy has a quarter of a minute", () => {
  const { seen, pass } = stage({ isStopped: false });
  pass(59);
  assert.deepEqual(seen.silent, []);
  pass(1);
  assert.deepEqual(seen.silent, ["has not been heard of for 15 s"]);
});

test("whoever is heard of is not given up, however late", () => {
  const { seen, pulse, pass } = stage();
  for (let round = 0; round < 100; round += 1) {
    pass(7);
    pulse.heard();
  }
  assert.deepEqual(seen.silent, []);
});

test("after a gap in one's own ticks the count begins anew", () => {
  const { seen, pass } = stage();
  pass(7);
  pass(1, 3_600_000);
  pass(7);
  assert.deepEqual(seen.silent, []);
  pass(1);
  assert.deepEqual(seen.silent, ["has been stopped"]);
});

test("one that is being born has twice the time", () => {
  const silent: string[] = [];
  let fire = (): void => {};
  let now = 0;
  const heart = {
    beat() {},
    isStopped: () => true,
    silent: (how: string) => silent.push(how) > 0,
    now: () => now,
  };
  startPulse(heart, ((callback: () => void) => {
    fire = callback;
    return setInterval(() => {}, 1e6).unref();
  }) as unknown as typeof setInterval);
  for (let ticks = 1; ticks < 16; ticks += 1) {
    now += tick;
    fire();
  }
  assert.deepEqual(silent, []);
  fire();
  assert.equal(silent.length, 1);
});

test("a process that is dead at two ticks is gone, so that what it said last is heard first", () => {
  let isAlive = true;
  const isGone = watchDeath(() => isAlive);
  assert.equal(isGone(), false);
  isAlive = false;
  assert.deepEqual([isGone(), isGone(), isGone()], [false, true, true]);
});
