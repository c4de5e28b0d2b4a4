/** Which worker accepts from which queue of an address. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createAddress, type Neighbours, type Queue } from "../../src/actors/daemon/address.js";
import { type Acceptor, assignVacant } from "../../src/actors/daemon/queues.js";
import type { WorkerRef } from "../../src/protocol/types.js";

const worker = (id: number, slot: number, generation = 1): WorkerRef => ({
  id,
  slot,
  pid: 100 + id,
  generation,
});
const acceptor = (id: number, slot: number, generation = 1): Acceptor => ({
  worker: worker(id, slot, generation),
  queue: slot,
});
const none = new Map<number, Acceptor>();

test("no queue is vacant: nobody has to help", () => {
  assert.deepEqual(assignVacant([0, 1], [acceptor(1, 0), acceptor(2, 1)], none), none);
});

test("nobody is there: nobody can help", () => {
  assert.deepEqual(assignVacant([0, 1], [], none), none);
});

test("a vacant queue goes to one of the newest generation, and stays with it", () => {
  const [old, young, younger] = [acceptor(1, 0, 1), acceptor(2, 0, 2), acceptor(3, 1, 2)];
  const first = assignVacant([0, 1, 2], [old, young, younger], none);
  assert.deepEqual([...first], [[2, young]]);
  assert.deepEqual(
    [...assignVacant([0, 1, 2], [acceptor(4, 0, 3), old, young, younger], first)],
    [[2, young]],
  );
  assert.deepEqual([...assignVacant([0, 1, 2], [old, younger], first)], [[2, younger]]);
});

test("vacant queues are spread over the neighbours", () => {
  const assigned = assignVacant([0, 1, 2, 3], [acceptor(1, 0), acceptor(2, 1)], none);
  assert.deepEqual(
    [...assigned].map(
      ([
        queue,
        {
          worker: { id },
        },
      ]) => [queue, id],
    ),
    [
      [2, 1],
      [3, 2],
    ],
  );
});

test("an address tells only the difference: adopt, and disown when the slot has its worker again", () => {
  const { address, told } = stage();
  for (const slot of [0, 1, 2]) address.join(worker(slot + 1, slot));
  assert.deepEqual(told.splice(0), []);
  address.leave(worker(3, 2));
  assert.deepEqual(told.splice(0), ["adopt 1 q0 q2"]);
  address.leave(worker(1, 0));
  assert.deepEqual(told.splice(0), ["adopt 2 q1 q0", "adopt 2 q1 q2"]);
  address.join(worker(4, 2));
  assert.deepEqual(told.splice(0), ["disown 2 q2"]);
  assert.equal(address.isUsed, true);
});

test("the last one's queues wait, and the next worker takes all of them", () => {
  const { address, told } = stage();
  address.join(worker(1, 0));
  address.join(worker(2, 1));
  address.leave(worker(1, 0));
  address.leave(worker(2, 1));
  assert.equal(address.isUsed, false);
  told.splice(0);
  assert.equal(address.join(worker(3, 0)).key, "q0");
  assert.deepEqual(told, ["adopt 3 q0 q1"]);
});

test("one of two servers of the worker closes the socket that both were given", () => {
  const { address } = stage();
  const { key } = address.join(worker(1, 0));
  address.join(worker(1, 0));
  address.leave(worker(1, 0), key);
  assert.equal(address.isUsed, true);
  address.leave(worker(1, 0), key);
  assert.equal(address.isUsed, false);
});

test("after the death of their master workers accept until they leave, and are told nothing", () => {
  const { address, told } = stage();
  address.join(worker(1, 0));
  address.join(worker(2, 1));
  address.leave(worker(2, 1));
  assert.deepEqual(told.splice(0), ["adopt 1 q0 q1"]);
  address.join(worker(2, 1));
  assert.deepEqual(told.splice(0), ["disown 1 q1"]);
  address.strand();
  address.leave(worker(2, 1));
  assert.deepEqual([address.isUsed, told], [true, []], "the queue waits: nobody can be asked");
  address.join(worker(3, 0));
  assert.deepEqual(told.splice(0), ["adopt 3 q0 q1"], "the first of the next master's looks after it");
  address.leave(worker(1, 0));
  address.join(worker(4, 1));
  assert.deepEqual(told, ["disown 3 q1"]);
});

test("a stray keeps the queue that it had taken over", () => {
  const { address, told } = stage();
  address.join(worker(1, 0));
  address.join(worker(2, 1));
  address.leave(worker(2, 1));
  told.splice(0);
  address.strand();
  address.join(worker(3, 0));
  assert.deepEqual(told, []);
  address.leave(worker(1, 0));
  assert.deepEqual(told, ["adopt 3 q0 q1"]);
});

test("workers that are withheld leave the queues to those who accept, until they are admitted", () => {
  const { address, told } = stage();
  address.join(worker(1, 0));
  address.join(worker(2, 0, 2), true);
  address.join(worker(3, 1, 2), true);
  // Nobody has ever accepted from the second queue: the kernel puts nothing into it.
  assert.deepEqual(told.splice(0), []);
  assert.deepEqual(address.list()[1]?.workers, []);
  assert.equal(address.findWaiting(), null);
  address.leave(worker(1, 0));
  assert.deepEqual([address.isUsed, address.isServed, address.findWaiting()], [true, false, 2]);
  address.admit(1);
  assert.equal(address.isServed, false);
  address.admit(2);
  assert.deepEqual([address.isServed, address.findWaiting(), told.splice(0)], [true, null, []]);
  address.leave(worker(3, 1, 2));
  assert.deepEqual(told, ["adopt 2 q0 q1"]);
});

test("a queue that was lent to a neighbour is given back when the slot's new worker is admitted", () => {
  const { address, told } = stage();
  address.join(worker(1, 0));
  address.join(worker(2, 1));
  address.leave(worker(2, 1));
  address.join(worker(3, 1, 2), true);
  assert.deepEqual(told.splice(0), ["adopt 1 q0 q1"]);
  address.admit(2);
  assert.deepEqual(told, ["disown 1 q1"]);
});

test("where slots share a queue, nobody has to help; further sockets go to everybody", () => {
  const { address, told } = stage({ shares: true, others: ["v6"] });
  assert.equal(address.join(worker(1, 0)).key, "q0");
  assert.equal(address.join(worker(2, 1)).key, "q0");
  assert.deepEqual(told.splice(0), ["adopt 1 q0 v6", "adopt 2 q0 v6"]);
  address.leave(worker(1, 0));
  assert.deepEqual(told, []);
});

function stage({ shares = false, others = [] as string[] } = {}) {
  const told: string[] = [];
  const neighbours: Neighbours = {
    adopt: ({ id }, own, key) => told.push(`adopt ${id} ${own} ${key}`),
    disown: ({ id }, key) => told.push(`disown ${id} ${key}`),
  };
  let count = 0;
  const open = (): Queue => {
    const key = `q${count}`;
    count += 1;
    return { key, handle: { close() {} } };
  };
  const extra = others.map((key) => ({ key, handle: { close() {} } }));
  return { address: createAddress(open(), shares ? null : open, neighbours, extra), told };
}
