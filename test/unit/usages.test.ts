/** What processes cost: read from /proc, compared with the time before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createUsages, type ProcessStat, parseStat } from "../../src/actors/daemon/usages.js";

test("a process's name may look like anything", () => {
  const fields = Array.from({ length: 50 }, (_, index) => index + 3).join(" ");
  for (const name of ["node", "a b", "x) S 1 2 3", "((("]) {
    assert.deepEqual(parseStat(`42 (${name}) ${fields}`), { ticks: 14 + 15, pages: 24, began: "22" });
  }
  assert.equal(parseStat(""), undefined);
});

test("memory at the first look, processor time at the second; another process begins anew", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  let stat: ProcessStat | undefined = { ticks: 100, pages: 10, began: "1" };
  const usages = createUsages(() => stat, 4096);
  usages.follow(7);
  assert.equal(usages.of(7), null);
  t.mock.timers.tick(5000);
  assert.deepEqual([usages.of(7)?.memory, usages.of(7)?.cpu], [40960, null]);
  assert.ok((usages.of(7)?.age ?? 9) < 1);
  stat = { ticks: 200, pages: 20, began: "1" };
  t.mock.timers.tick(5000);
  assert.equal(usages.of(7)?.memory, 81920);
  assert.ok((usages.of(7)?.cpu ?? 0) > 0);
  stat = { ticks: 1, pages: 1, began: "2" };
  t.mock.timers.tick(5000);
  assert.equal(usages.of(7)?.cpu, null);
  stat = undefined;
  t.mock.timers.tick(5000);
  assert.equal(usages.of(7), null);
  usages.close();
});

test("what is not followed is not known, nor is a process without a number", () => {
  const usages = createUsages(() => assert.fail(), 4096);
  usages.follow(0);
  usages.forget(3);
  assert.equal(usages.of(0), null);
  assert.equal(usages.of(3), null);
  usages.close();
});
