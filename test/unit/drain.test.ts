/** The drain's behaviour, sentence by sentence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Doing,
  type Drain,
  type DrainEffect,
  type DrainMessage,
  type Effect,
  type Fact,
  gathering,
  step,
  stepConnection,
} from "../../src/actors/worker/drain.js";

const quiet: Fact = { is: "quiet", patience: 6000 };
const asked: Fact = { is: "asked" };
const freed: Fact = { is: "freed" };
const expired: Fact = { is: "expired" };
const closed: Fact = { is: "closed" };

test("an idle connection stays open for as long as its client may reckon with it", () => {
  assert.deepEqual(follow("new", quiet), { doing: "idle", effects: [{ do: "startTimer", ms: 6000 }] });
});

test("then it is closed", () => {
  assert.deepEqual(follow("idle", expired), { doing: "gone", effects: [{ do: "close" }] });
});

test("a request that comes meanwhile is served", () => {
  assert.deepEqual(follow("idle", asked), { doing: "busy", effects: [{ do: "stopTimer" }] });
});

test("a connection on which a request is being received or answered is never closed", () => {
  assert.deepEqual(follow("new", asked, asked, expired), { doing: "busy", effects: [] });
});

test("a connection whose response was promised to be followed by others is idle again, for its full time", () => {
  assert.deepEqual(follow("busy", quiet), { doing: "idle", effects: [{ do: "startTimer", ms: 6000 }] });
});

test("an idle connection that falls idle again has one timer", () => {
  assert.deepEqual(follow("idle", quiet), {
    doing: "idle",
    effects: [{ do: "stopTimer" }, { do: "startTimer", ms: 6000 }],
  });
});

test("an upgraded connection is never touched", () => {
  assert.deepEqual(follow("new", freed, asked, expired), { doing: "free", effects: [] });
  assert.deepEqual(follow("idle", freed), { doing: "free", effects: [{ do: "stopTimer" }] });
});

test("an event stream that ends leaves an idle connection", () => {
  assert.deepEqual(follow("free", quiet).doing, "idle");
});

test("nothing happens to a connection that is gone", () => {
  assert.deepEqual(follow("idle", closed), { doing: "gone", effects: [{ do: "stopTimer" }] });
  for (const fact of [quiet, asked, freed, expired, closed]) {
    assert.deepEqual(follow("gone", fact), { doing: "gone", effects: [] });
  }
});

const gathered: DrainMessage = { is: "gathered", timeout: 30_000 };
const timedOut: DrainMessage = { is: "timedOut" };

test("with nothing to wait for, the drain is over at once", () => {
  assert.deepEqual(run(gathered), { phase: "drained", effects: [{ do: "settle" }] });
});

test("it is not over before every connection was told of", () => {
  assert.deepEqual(run(move("new", "idle"), move("idle", "gone")), { phase: "gathering", effects: [] });
});

test("it waits for idle and for busy connections, and then needs no timer", () => {
  const before = [move("new", "idle"), move("new", "busy"), gathered];
  const waiting = [{ do: "startTimer", ms: 30_000 }];
  assert.deepEqual(run(...before), { phase: "waiting", effects: waiting });
  assert.deepEqual(run(...before, move("idle", "gone")), { phase: "waiting", effects: waiting });
  assert.deepEqual(run(...before, move("idle", "gone"), move("busy", "gone")), {
    phase: "drained",
    effects: [...waiting, { do: "stopTimer" }, { do: "settle" }],
  });
});

test("it does not wait for free connections", () => {
  assert.equal(run(move("new", "free"), gathered).phase, "drained");
  assert.equal(run(move("new", "busy"), gathered, move("busy", "free")).phase, "drained");
});

test("responses in flight are waited for only so long", () => {
  assert.equal(run(move("new", "busy"), gathered, timedOut).phase, "drained");
});

test("idle connections are waited for even then, because a request on them would be cut", () => {
  const late = [move("new", "busy"), move("new", "idle"), gathered, timedOut];
  assert.equal(run(...late).phase, "late");
  assert.equal(run(...late, move("idle", "gone")).phase, "drained");
  assert.equal(run(...late, move("idle", "busy")).phase, "drained");
});

test("it is over once", () => {
  const after = run(gathered, gathered, timedOut, move("new", "idle"), move("idle", "gone"));
  assert.deepEqual(after, { phase: "drained", effects: [{ do: "settle" }] });
});

function follow(from: Doing, ...facts: readonly Fact[]): { doing: Doing; effects: readonly Effect[] } {
  let doing = from;
  const effects: Effect[] = [];
  for (const fact of facts) {
    const next = stepConnection(doing, fact);
    doing = next.state;
    effects.push(...next.effects);
  }
  return { doing, effects };
}

function run(...messages: readonly DrainMessage[]): {
  phase: Drain["phase"];
  effects: readonly DrainEffect[];
} {
  let drain = gathering;
  const effects: DrainEffect[] = [];
  for (const message of messages) {
    const next = step(drain, message);
    drain = next.state;
    effects.push(...next.effects);
  }
  return { phase: drain.phase, effects };
}

function move(from: Doing, to: Doing): DrainMessage {
  return { is: "moved", from, to };
}
