/** Random lives of workers on one address: its queues never lack an acceptor, and nobody is told anything in vain. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createAddress, type Queue } from "../../src/actors/daemon/address.js";
import type { WorkerRef } from "../../src/protocol/types.js";

const slots = 5;
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant("join" as const), slot: fc.nat(slots - 1) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("die" as const), which: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("close" as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("deploy" as const) }) },
  { weight: 4, arbitrary: fc.record({ does: fc.constant("come" as const), slot: fc.nat(slots - 1) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("admit" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("turnBack" as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant("strand" as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the daemon cannot see: who really accepts from what. */
interface Joined {
  readonly worker: WorkerRef;
  readonly own: string;
}

for (const shares of [false, true]) {
  test(`every queue that was ever accepted from has an acceptor of its own or one helper, as long as anybody accepts${shares ? ", shared" : ""}`, () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => live(steps, shares)),
      { numRuns: 3_000 },
    );
  });
}

function live(steps: readonly Step[], shares: boolean): void {
  let joined: Joined[] = [];
  const coming: Joined[] = [];
  /** The queues that somebody has accepted from. */
  const filled = new Set<string>();
  /** By queue: the workers that were told to adopt it, and not to let go. */
  const helpers = new Map<string, { worker: WorkerRef; own: string }[]>();
  const isThere = (worker: WorkerRef): boolean => joined.some((each) => each.worker === worker);
  /** Those whose master is gone: they accept, and cannot be told anything. */
  const strays = new Set<WorkerRef>();
  let opened = 0;
  let id = 0;
  let generation = 1;
  const open = (): Queue => {
    opened += 1;
    return { key: `q${opened}`, handle: { close() {} } };
  };
  let arriving: WorkerRef | undefined;
  const address = createAddress(open(), shares ? null : open, {
    adopt(worker, own, key) {
      assert.ok(isThere(worker) || worker === arriving, "a worker that is gone was told to adopt");
      assert.ok(!strays.has(worker), "a stray was told to adopt");
      const known = helpers.get(key) ?? [];
      assert.ok(!known.some((each) => each.worker === worker && each.own === own), "adopted twice");
      helpers.set(key, [...known, { worker, own }]);
    },
    disown(worker, key) {
      const known = helpers.get(key) ?? [];
      assert.ok(isThere(worker) && !strays.has(worker), "a worker that hears nothing was told to disown");
      assert.ok(
        known.some((each) => each.worker === worker),
        "disowned in vain",
      );
      helpers.set(
        key,
        known.filter((each) => each.worker !== worker),
      );
    },
  });
  const letGo = (worker: WorkerRef, own?: string): void => {
    for (const [key, known] of helpers) {
      const left = known.filter((each) => each.worker !== worker || (own !== undefined && each.own !== own));
      helpers.set(key, left);
    }
  };
  for (const now of steps) {
    if (now.does === "deploy") generation += 1;
    else if (now.does === "come") {
      // One of the next generation, which is withheld; nothing is asked of it.
      id += 1;
      const worker = { id, slot: now.slot, pid: id, generation: generation + 1 };
      coming.push({ worker, own: address.join(worker, true).key });
    } else if (now.does === "admit") {
      generation += 1;
      joined.push(...coming.splice(0));
      address.admit(generation);
    } else if (now.does === "turnBack") {
      for (const { worker } of coming.splice(0)) address.leave(worker);
    } else if (now.does === "join") {
      id += 1;
      arriving = { id, slot: now.slot, pid: id, generation };
      joined.push({ worker: arriving, own: address.join(arriving).key });
      arriving = undefined;
    } else if (now.does === "strand") {
      for (const { worker } of joined) strays.add(worker);
      coming.splice(0);
      address.strand();
    } else if (joined.length > 0) {
      const { worker, own } = joined[now.which % joined.length] as Joined;
      joined = joined.filter((each) => each.worker !== worker);
      letGo(worker, own);
      if (now.does === "die" || strays.has(worker)) address.leave(worker);
      else address.leave(worker, own);
    }
    check();
  }

  function check(): void {
    assert.equal(address.isUsed, joined.length + coming.length > 0);
    assert.equal(address.isServed, joined.length > 0);
    for (const { own } of joined) filled.add(own);
    if (joined.length === 0) return;
    for (const key of address.keys) {
      const own = joined.filter((each) => each.own === key).length;
      const helping = (helpers.get(key) ?? []).map(({ worker }) => worker).filter(isThere);
      const told = helping.filter((worker) => !strays.has(worker)).length;
      const canHelp = filled.has(key) && joined.some(({ worker }) => !strays.has(worker));
      if (own > 0) assert.equal(told, 0, `${key} has workers of its own and a helper`);
      // A stray that had taken it over before keeps it.
      else if (told === 0) assert.ok(helping.length > 0 || !canHelp, `${key} has no helper`);
      else assert.equal(told, 1, `${key} has ${told} helpers`);
    }
  }
}
