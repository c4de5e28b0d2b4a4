/** What the daemon knows of its master's pool: after any history it is what the pool itself says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { applyChange, describePool } from "../../src/actors/daemon/pool-view.js";
import type { PoolView } from "../../src/actors/daemon/state.js";
import { createNews } from "../../src/actors/master/news.js";
import type { PoolChange, Status, WorkerInfo } from "../../src/protocol/types.js";

const moment0 = { at: 0, time: "2026-01-02T03:04:05.678Z" };
const statuses = ["booting", "online", "new_online", "dying"] as const;

const worker = fc.record({
  slot: fc.nat(3),
  generation: fc.nat(2),
  status: fc.constantFrom(...statuses),
  seconds: fc.nat(5),
  restarts: fc.nat(2),
});
/** Each moment is a whole pool; ids grow, as they do in a pool. */
const moment = fc.record({
  workers: fc.array(fc.tuple(fc.nat(9), worker), { maxLength: 6 }),
  phase: fc.constantFrom("booting" as const, "online" as const, "deploying" as const),
  deploying: fc.option(fc.constant({ id: "d", seconds: 1, stage: "leaving" as const }), { nil: undefined }),
  delays: fc.array(fc.record({ slot: fc.nat(3), failures: fc.nat(3), seconds: fc.constant(0) })),
  forked: fc.nat(12),
});

test("the daemon's view of the pool is the pool's own, whatever has happened", () => {
  fc.assert(
    fc.property(fc.array(moment, { minLength: 1, maxLength: 12 }), (moments) => {
      let view: PoolView | null = null;
      let forked = 0;
      const changes: PoolChange[] = [];
      const news = createNews(
        // As on a wire.
        (change) => changes.push(JSON.parse(JSON.stringify(change)) as PoolChange),
        ({ id }) => id < forked,
      );
      for (const each of moments) {
        const status = build(each);
        news.follow(() => status);
        // In the middle of a step not every worker is there yet.
        forked = each.forked;
        news.tell();
        forked = Number.POSITIVE_INFINITY;
        news.tell();
        for (const change of changes.splice(0)) view = applyChange(view, change, moment0);
        assert.ok(view);
        assert.deepEqual(sort(describePool(view, 0)), sort(status));
      }
    }),
  );
});

test("a part of a pool of which nothing is known says nothing", () => {
  const part = { whole: false, phase: "online", waitingFor: null, workers: [], gone: [] } as const;
  assert.equal(applyChange(null, { ...part, workers: [], gone: [] }, moment0), null);
});

test("time passes in the daemon's view", () => {
  const info: WorkerInfo = { id: 1, slot: 0, pid: 5, generation: 1, status: "online", seconds: 2 };
  const view = applyChange(
    null,
    {
      whole: true,
      phase: "deploying",
      waitingFor: "new",
      deploying: { id: "d", seconds: 1, stage: "booting" },
      delays: [{ slot: 1, failures: 2, seconds: 3 }],
      workers: [info],
      gone: [],
    },
    { ...moment0, at: 1000 },
  );
  assert.ok(view);
  const status = describePool(view, 6000);
  assert.deepEqual(status.workers, [{ ...info, seconds: 7, since: "2026-01-02T03:04:03.678Z" }]);
  assert.equal(status.deploying?.seconds, 6);
  assert.equal(status.delays?.[0]?.seconds, 0);
});

function build({ workers, ...head }: typeof moment extends fc.Arbitrary<infer T> ? T : never): Status {
  const byId = new Map(workers.map(([id, info]) => [id, { ...info, id, pid: id + 100 } as WorkerInfo]));
  const all = [...byId.values()];
  const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  for (const { status } of all) counts[status] += 1;
  const { phase, deploying, delays } = head;
  return { phase, counts, waitingFor: null, ...(deploying && { deploying }), delays, workers: all };
}

/** A worker that stays keeps its age from when it was told; its place in the list is of no interest here. */
function sort({ workers, ...rest }: Status): object {
  const plain = workers.map(({ since: _, ...each }) => ({ ...each, seconds: 0 })).sort((a, b) => a.id - b.id);
  return JSON.parse(JSON.stringify({ ...rest, workers: plain }));
}
