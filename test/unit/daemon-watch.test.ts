/** The daemon's machine: a client that comes back gets what it has missed, or is told that it is lost. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { recall } from "../../src/actors/daemon/memory.js";
import type { Effect, Message } from "../../src/actors/daemon/state.js";
import { type Machine, other, poolEvent, running, third } from "../support/daemon-machine.js";

/** The machine has told `count` events. */
function after(count: number): Machine {
  const machine = running();
  while (machine.state.sequence < count)
    machine.post({ type: "masterEvent", event: poolEvent("WorkerOnline") });
  return machine;
}

function watch(machine: Machine, more: Partial<Extract<Message, { type: "watch" }>>): readonly Effect[] {
  return machine.post({ type: "watch", call: 9, client: other, ...more });
}

/** First and last number of what is sent, and the answer. */
function read(effects: readonly Effect[]): unknown[] {
  return effects.map((effect) => {
    if (effect.type === "reply") return effect.result;
    assert.ok(effect.type === "replay" && effect.client === other);
    const numbers = effect.events.map(({ sequence }) => sequence);
    assert.deepEqual(
      numbers,
      numbers.map((_, index) => (numbers[0] ?? 0) + index),
    );
    return [numbers[0], numbers.at(-1)];
  });
}

test("events after `since` come first, then the answer", () => {
  assert.deepEqual(read(watch(after(10), { since: 7 })), [[8, 10], { sequence: 10, missed: 0 }]);
  assert.deepEqual(read(watch(after(10), { since: 0 })), [[1, 10], { sequence: 10, missed: 0 }]);
});

test("who has everything is sent nothing", () => {
  assert.deepEqual(read(watch(after(10), { since: 10 })), [{ sequence: 10, missed: 0 }]);
});

test("without `since` only what comes is sent", () => {
  assert.deepEqual(read(watch(after(10), {})), [{ sequence: 10 }]);
});

test("1,000 events are kept, and a gap is said", () => {
  const machine = after(1203);
  assert.equal(recall(machine.state.events).length, 1000);
  assert.deepEqual(read(watch(machine, { since: 203 })), [[204, 1203], { sequence: 1203, missed: 0 }]);
  assert.deepEqual(read(watch(machine, { since: 5 })), [[204, 1203], { sequence: 1203, missed: 198 }]);
});

test("a number of another daemon's life says so, and all events of this one are sent", () => {
  const answer = { sequence: 10, missed: 0, restarted: true };
  assert.deepEqual(read(watch(after(10), { since: 11 })), [[1, 10], answer]);
  assert.deepEqual(read(watch(after(10), { since: 4, restarted: true })), [[1, 10], answer]);
});

test("from the answer on each watcher gets each event once", () => {
  const machine = after(3);
  watch(machine, { since: 0 });
  watch(machine, { since: 3 });
  machine.post({ type: "watch", call: 10, client: third });
  const effects = machine.post({ type: "masterEvent", event: poolEvent("Ready") });
  const told = effects.flatMap((effect) => (effect.type === "event" ? [effect] : []));
  assert.deepEqual(
    told.map(({ clients, event }) => [clients, event.sequence]),
    [[[other, third], 4]],
  );
});
