/** What waits for a slow file: comes out as it went in, in pieces that end where an addition ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBacklog } from "../../src/actors/daemon/backlog.js";

const size = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 70_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100_000, max: 300_000 }) },
);
const step = fc.oneof(
  fc.record({ add: size }),
  fc.record({ take: fc.integer({ min: -10, max: 100_000 }), cut: fc.integer({ min: 1, max: 1000 }) }),
  fc.record({ take: fc.integer({ min: -10, max: 100_000 }), cut: fc.constant(0), clear: fc.constant(true) }),
);

test("what was added is taken: once, in order, and to the end of the addition that is too much", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const backlog = createBacklog();
      const expected: Buffer[] = [];
      let added = 0;
      for (const each of steps) {
        if ("add" in each) {
          const bytes = Buffer.alloc(each.add, `${added} `);
          added += 1;
          backlog.add(bytes);
          expected.push(Buffer.from(bytes));
          bytes.fill("x");
        } else {
          const given = backlog.take(each.take);
          assert.equal(given === undefined, expected.length === 0);
          if (given === undefined) continue;
          let length = 0;
          const parts: Buffer[] = [];
          while (length < given.length) {
            assert.ok(length <= each.take || length === 0, "it ends where there was enough");
            parts.push(expected.shift() ?? assert.fail("more than there was"));
            length += parts.at(-1)?.length ?? 0;
          }
          assert.ok(given.equals(Buffer.concat(parts)));
          const first = Math.ceil((given.length * each.cut) / 1000);
          backlog.release(first);
          if ("clear" in each) {
            const lost = expected.splice(0).reduce((sum, { length: count }) => sum + count, 0);
            assert.equal(backlog.clear(), lost);
          }
          // While it is being written more comes.
          const late = Buffer.from("late");
          backlog.add(late);
          expected.push(late);
          assert.ok(given.subarray(first).equals(Buffer.concat(parts).subarray(first)));
          if (first < given.length) backlog.release(given.length - first);
        }
        assert.equal(
          backlog.length,
          expected.reduce((sum, { length }) => sum + length, 0),
        );
      }
    }),
    { numRuns: 500 },
  );
});

test("its blocks are used again: what passes through it leaves no garbage", () => {
  const backlog = createBacklog();
  const bytes = Buffer.alloc(60_000);
  let most = 0;
  let first: number | undefined;
  for (let round = 0; round < 200; round += 1) {
    for (let count = 0; count < 20; count += 1) backlog.add(bytes);
    for (let taken = backlog.take(0); taken; taken = backlog.take(0)) backlog.release(taken.length);
    const { arrayBuffers } = process.memoryUsage();
    // What other tests have left behind may be collected meanwhile.
    first ??= arrayBuffers;
    most = Math.max(most, arrayBuffers - first);
  }
  assert.ok(most < 256 * 1024, `${most} bytes more`);
});
