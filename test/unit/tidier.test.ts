/** Garbage is collected after a rest, some times in a row, and never by a process that has no way to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createTidier } from "../../src/actors/tidier.js";

test("what comes to rest several times is tidied up after the last time", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let collected = 0;
  const tidy = createTidier(() => {
    collected += 1;
  });
  for (let time = 0; time < 5; time += 1) {
    tidy();
    t.mock.timers.tick(1_000);
  }
  assert.equal(collected, 0);
  for (let time = 0; time < 100; time += 1) t.mock.timers.tick(100);
  assert.equal(collected, 8);
});

test("tidying up makes way for what happens meanwhile", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let collected = 0;
  const tidy = createTidier(() => {
    collected += 1;
  });
  tidy();
  t.mock.timers.tick(1_500);
  assert.equal(collected, 1);
  tidy();
  t.mock.timers.tick(1_000);
  assert.equal(collected, 1);
});

test("a process without the flag does without", () => {
  createTidier(undefined)();
});
