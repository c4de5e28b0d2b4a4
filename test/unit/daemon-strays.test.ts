/** The daemon's machine and the workers that outlive their master. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { packState, unpackState } from "../../src/actors/daemon/heritage.js";
import { emptyDaemon } from "../../src/actors/daemon/machine.js";
import { recall } from "../../src/actors/daemon/memory.js";
import type { Effect, Message } from "../../src/actors/daemon/state.js";
import {
  type Machine,
  noCounts,
  openMachine,
  other,
  poolEvent,
  running,
  serving,
  third,
} from "../support/daemon-machine.js";

/** How things stand. */
const told: Message = {
  type: "masterChanged",
  change: { phase: "online", waitingFor: null, whole: true, workers: [], gone: [] },
  at: 0,
};
const killed = { type: "masterExited", how: "was killed by SIGKILL" } as const;
const worker = (id: number, generation = 1) => ({ id, slot: id - 1, pid: 100 + id, generation });
const event = (name: Parameters<typeof poolEvent>[0], id: number, generation = 1) =>
  ({ type: "masterEvent", event: poolEvent(name, {}, { worker: worker(id, generation) }) }) as const;
const lifeline = (call: number, client: number, id: number, master = 1) =>
  ({ type: "lifeline", call, client, worker: worker(id), master }) as const;
const replies = (effects: readonly Effect[]) =>
  effects.flatMap((each) => (each.type === "reply" ? [[each.call, each.result]] : []));
const names = (effects: readonly Effect[]) =>
  effects.flatMap((each) => (each.type === "event" ? [each.event.name] : []));

/** Two workers serve, each with its lifeline: calls 21 and 22. */
function serve(): Machine {
  const machine = running();
  machine.post(
    event("SpawnNew", 1),
    event("SpawnNew", 2),
    event("NewOnline", 1),
    event("NewOnline", 2),
    { type: "masterEvent", event: poolEvent("Ready", { online: 2 }) },
    lifeline(21, 31, 1),
    lifeline(22, 32, 2),
  );
  return machine;
}

test("workers outlive their master, count as online, and are told apart", () => {
  const machine = serve();
  const effects = machine.post(killed);
  assert.deepEqual(
    effects.flatMap((each) => (each.type === "watchProcess" ? [[each.pid, each.worker.id]] : [])),
    [
      [101, 1],
      [102, 2],
    ],
  );
  assert.deepEqual(replies(effects), [], "nobody is sent away");
  const [answer] = machine.post({ type: "status", call: 5, client: other });
  assert.ok(answer?.type === "reply" && "phase" in answer.result);
  assert.equal(answer.result.phase, "online");
  assert.deepEqual(answer.result.counts, { ...noCounts, online: 2 });
  assert.deepEqual(
    answer.result.workers.map(({ pid, stray }) => [pid, stray]),
    [
      [101, true],
      [102, true],
    ],
  );
});

test("they leave when the next master's workers are all online, and not before", () => {
  const machine = serve();
  machine.post(killed);
  const [start] = machine.post({ type: "reviveMaster" });
  assert.ok(start?.type === "startMaster");
  assert.deepEqual([start.master, start.start.nextWorker, start.start.nextGeneration], [2, 3, 2]);
  assert.deepEqual(replies(machine.post(event("SpawnNew", 3), event("WorkerOnline", 3))), []);
  const effects = machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  const times = { grace: 10, timeout: 30 };
  assert.deepEqual(replies(effects), [
    [21, times],
    [22, times],
  ]);
  assert.deepEqual(names(effects), ["Ready", "ShutdownOld", "ShutdownOld"]);
  assert.deepEqual(names(machine.post({ type: "strayGone", pid: 101 })), ["OldExit"]);
  assert.deepEqual(machine.post({ type: "strayGone", pid: 101 }), []);
});

test("one that nobody can reach is killed when its time is over, one that can be is waited for", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" }, { type: "clientGone", client: 31 });
  machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  const late = (pid: number) => machine.post({ type: "strayLate", pid, force: false });
  assert.ok(late(101).some((each) => each.type === "killProcess" && each.pid === 101));
  assert.deepEqual(late(102), []);
});

test("a worker that the daemon has never heard of is a stray, and sent away like any other", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" });
  machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  assert.deepEqual(
    replies(machine.post(lifeline(23, 33, 9))).map(([call]) => call),
    [23],
  );
});

test("a worker of which the dead master had told nothing yet is known by its lifeline, and sent away like any other", () => {
  const machine = serve();
  machine.post(lifeline(23, 33, 3), killed, { type: "reviveMaster" });
  const effects = machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  assert.deepEqual(
    replies(effects).map(([call]) => call),
    [21, 22, 23],
  );
});

test("a worker that nobody has told of is not taken for the one that has got its number since", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" }, event("SpawnNew", 3), event("WorkerOnline", 3));
  const unknown = lifeline(23, 33, 3);
  machine.post({ ...unknown, worker: { ...unknown.worker, pid: 999 } });
  const effects = machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  assert.deepEqual(
    replies(effects).map(([call]) => call),
    [21, 22, 23],
  );
});

test("its number is not given again, once it is known", () => {
  const machine = serve();
  machine.post(lifeline(23, 33, 3), killed);
  const [start] = machine.post({ type: "reviveMaster" });
  assert.ok(start?.type === "startMaster");
  assert.equal(start.start.nextWorker, 4);
});

test("nor is a new worker sent away because of one that nobody has told of and that has its number", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" });
  const unknown = lifeline(23, 33, 3);
  machine.post({ ...unknown, worker: { ...unknown.worker, pid: 999 } });
  assert.deepEqual(replies(machine.post(lifeline(24, 34, 3, 2))), []);
});

test("those of a release that has not taken over go at once, but are given time; a replacement that boots may stay", () => {
  const machine = serve();
  machine.post(event("SpawnNew", 3, 2), event("NewOnline", 3, 2), event("SpawnNew", 4, 2), told);
  machine.post(event("SpawnNew", 5));
  const effects = machine.post(killed);
  assert.deepEqual(
    effects.flatMap((each) => (each.type === "forgetWorker" ? [each.worker.id] : [])),
    [3, 4],
  );
  assert.ok(!effects.some(({ type }) => type === "killProcess"));
});

test("one of a failed release that was about to be killed when its master died is not waited for without an end", () => {
  const machine = serve();
  machine.post(event("SpawnNew", 3, 2), event("DestroyNew", 3, 2), told);
  const late = machine.post(killed).flatMap((each) => (each.type === "later" ? [each] : []));
  assert.deepEqual(
    late.flatMap(({ message }) => (message.type === "strayLate" ? [message.pid] : [])),
    [103],
  );
  const effects = machine.post(lifeline(23, 33, 3), { type: "strayLate", pid: 103, force: false });
  assert.ok(effects.some((each) => each.type === "killProcess" && each.pid === 103));
});

test("a daemon that has not heard their master to the end keeps those of a release that may have taken over", () => {
  const machine = serve();
  machine.post(event("SpawnNew", 3, 2), event("NewOnline", 3, 2));
  const { state } = machine;
  const heir = openMachine();
  heir.post({ type: "inherited", parts: packState(state), events: [], hasMaster: false });
  assert.deepEqual(replies(heir.post(lifeline(23, 33, 3))), []);
  const effects = heir.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  assert.deepEqual(
    replies(effects).map(([call]) => call),
    [23],
  );
});

test("nor does it send them away when a master dies that has not told it yet how things stand", () => {
  const machine = serve();
  machine.post(event("SpawnNew", 3, 2), event("NewOnline", 3, 2), told);
  const heir = openMachine();
  heir.post({ type: "inherited", parts: packState(machine.state), events: [], hasMaster: true });
  heir.post(lifeline(23, 33, 3));
  assert.deepEqual(replies(heir.post(killed)), []);
});

test("nor when that is not the master whose release it was", () => {
  const machine = serve();
  machine.post(event("SpawnNew", 3, 2), event("NewOnline", 3, 2));
  const heir = openMachine();
  heir.post({ type: "inherited", parts: packState(machine.state), events: [], hasMaster: false });
  heir.post(lifeline(23, 33, 3), told);
  assert.deepEqual(replies(heir.post(killed)), []);
});

test("a worker whose last word is read after the news of its death is not taken in once more", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" }, { type: "clientGone", client: 31 });
  assert.deepEqual(names(machine.post({ type: "strayGone", pid: 101 })), ["WorkerDeath"]);
  assert.deepEqual(replies(machine.post(lifeline(23, 33, 1))), [[23, { grace: 0, timeout: 0 }]]);
  assert.deepEqual([...machine.state.strays.keys()], [102]);
});

test("those who were to go stay when those for whom they went are dead, too, and may not have heard of it", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" });
  machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  const heir = openMachine();
  const late = heir
    .post({ type: "inherited", parts: packState(machine.state), events: [], hasMaster: false })
    .filter((each) => each.type === "later" && each.message.type === "strayLate");
  assert.deepEqual(late, []);
  assert.deepEqual(replies(heir.post(lifeline(23, 33, 1), { type: "reviveMaster" })), []);
  const effects = heir.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  assert.deepEqual(
    replies(effects).map(([call]) => call),
    [23],
  );
  assert.deepEqual(names(effects), ["Ready"], "that they are to go was told before");
  assert.deepEqual(names(heir.post({ type: "strayGone", pid: 101 })), ["OldExit"]);
});

test("one that a daemon was about to kill when it died itself is killed by the next one", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" });
  machine.post({ type: "masterEvent", event: poolEvent("Ready", { online: 2 }) });
  machine.post({ type: "strayLate", pid: 101, force: true });
  for (const hasMaster of [true, false]) {
    const heir = openMachine();
    const effects = heir.post({ type: "inherited", parts: packState(machine.state), events: [], hasMaster });
    assert.deepEqual(
      effects.flatMap((each) => (each.type === "killProcess" ? [each.pid] : [])),
      [101],
    );
  }
});

test("one that seems to be the master's, which does not tell of it, is sent away; one that it tells of late is not", () => {
  const machine = serve();
  const look = (client: number, looks: number) => machine.post({ type: "lifelineLook", client, looks });
  const later = (effects: readonly Effect[]) =>
    effects.flatMap((each) =>
      each.type === "later" && each.message.type === "lifelineLook" ? [each.message] : [],
    );
  assert.deepEqual(later(machine.post(lifeline(23, 33, 3))), [
    { type: "lifelineLook", client: 33, looks: 0 },
  ]);
  assert.deepEqual(later(machine.post(lifeline(24, 34, 4))), [
    { type: "lifelineLook", client: 34, looks: 0 },
  ]);
  assert.deepEqual(later(look(33, 0)), [{ type: "lifelineLook", client: 33, looks: 1 }]);
  machine.post(event("SpawnNew", 4));
  assert.deepEqual(look(34, 1), []);
  assert.deepEqual(
    replies(look(33, 1)).map(([call]) => call),
    [23],
  );
});

test("a stop waits for strays, and shortens their time when it is told to", () => {
  const machine = serve();
  machine.post(killed);
  const effects = machine.post({ type: "stop", call: 8, client: third, stop: { timeout: 2 } });
  assert.deepEqual(
    replies(effects).map(([call]) => call),
    [21, 22],
  );
  assert.ok(!effects.some(({ type }) => type === "close"));
  const forced = effects.flatMap((each) =>
    each.type === "later" && each.message.type === "strayLate" && each.message.force ? [each.seconds] : [],
  );
  assert.deepEqual(forced, [2, 2]);
  machine.post({ type: "strayGone", pid: 101 });
  assert.equal(machine.post({ type: "strayGone", pid: 102 }).at(-1)?.type, "close");
});

test("a deploy whose workers had taken over before the master died is done", () => {
  const machine = serve();
  machine.post(
    { type: "deploy", call: 5, client: other, deploy: { id: "d" } },
    { type: "resolved", call: 5, launch: serving.launch },
    { type: "masterServing", serving: { ...serving, generation: 2, deploy: "d" } },
  );
  const [[, result] = []] = replies(machine.post(killed));
  assert.ok(result && typeof result === "object" && "outcome" in result && result.outcome === "done");
});

test("what the next daemon needs survives as text; what it does not know has a default", () => {
  const machine = serve();
  machine.post(killed, { type: "reviveMaster" });
  const { state } = machine;
  const parts = JSON.parse(JSON.stringify(packState(state))) as Record<string, string>;
  const next = unpackState({ ...parts, novelty: "{}" }, recall(state.events), emptyDaemon);
  for (const key of ["start", "serving", "strays", "workers", "lastWorker", "masters", "sequence"] as const)
    assert.deepEqual(next[key], state[key], key);
  assert.equal(next.life, "running");
  assert.deepEqual(unpackState({}, [], emptyDaemon), { ...emptyDaemon, life: "running" });
  assert.deepEqual(packState(state, state), {}, "nothing is told twice");
});

test("a daemon that has lost its master with the one before starts another, and strands who is known", () => {
  const before = serve();
  const parts = packState(before.state);
  const machine = running();
  const effects = machine.post({ type: "inherited", parts, events: [], hasMaster: false });
  assert.deepEqual(names(effects), ["Recovered"]);
  assert.equal(machine.state.strays.size, 2);
  assert.ok(effects.some((each) => each.type === "startMaster" && each.master === 2));
});

test("a worker that calls when everybody is gone is sent away, and nothing is said of it any more", () => {
  const machine = serve();
  machine.post(
    { type: "stop", call: 9, client: other, stop: {} },
    killed,
    { type: "strayGone", pid: 101 },
    { type: "strayGone", pid: 102 },
    { type: "listened" },
  );
  const effects = machine.post(lifeline(23, 33, 3));
  assert.deepEqual(replies(effects), [[23, { grace: 0, timeout: 0 }]]);
  assert.deepEqual(names(effects), []);
});
