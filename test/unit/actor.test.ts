/** What every actor is made of: the mailbox, the calls it owes an answer, and its timers. */
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { createCalls, createTimers, startActor } from "../../src/actors/actor.js";

/** An actor that writes down what it handles; each message names the effects that it has. */
interface Note {
  readonly name: string;
  readonly effects?: readonly (() => void)[];
}

function openNotebook(crash?: (error: unknown) => void): {
  readonly handled: string[];
  readonly post: (note: Note) => void;
} {
  const handled: string[] = [];
  const post = startActor<readonly string[], Note, () => void>({
    state: [],
    step(state, { name, effects = [] }) {
      handled.push(`${name} after ${state.join("")}`);
      return { state: [...state, name], effects };
    },
    perform: (effect) => effect(),
    ...(crash && { crash }),
  });
  return { handled, post };
}

test("messages are handled in the order in which they were posted, each knowing those before it", () => {
  const { handled, post } = openNotebook();
  for (const name of ["a", "b", "c"]) post({ name });
  assert.deepEqual(handled, ["a after ", "b after a", "c after ab"]);
});

test("what an effect posts waits until all effects of its message are done, and comes before what is posted later", () => {
  const { handled, post } = openNotebook();
  const done: string[] = [];
  post({
    name: "a",
    effects: [
      () => post({ name: "b", effects: [() => post({ name: "d" })] }),
      () => done.push(`first: ${handled.length}`),
      () => post({ name: "c" }),
      () => done.push(`second: ${handled.length}`),
    ],
  });
  post({ name: "e" });
  assert.deepEqual(done, ["first: 1", "second: 1"]);
  assert.deepEqual(handled, ["a after ", "b after a", "c after ab", "d after abc", "e after abcd"]);
});

test("an exception is the end of the actor, and nobody who posted is told", () => {
  const crashes: unknown[] = [];
  const { handled, post } = openNotebook((error) => crashes.push(error));
  const bug = new Error("a bug");
  const fail = () => {
    throw bug;
  };
  post({ name: "a", effects: [() => post({ name: "b" }), fail] });
  assert.deepEqual(crashes, [bug]);
  post({ name: "c" });
  assert.deepEqual(handled, ["a after "]);
});

test("a call is answered with what its id is answered with, in whatever order", async () => {
  const calls = createCalls();
  const ids: number[] = [];
  const answers = ["a", "b", "c"].map((name) =>
    calls.ask<string>((id) => void ids.push(id)).then((is) => name + is),
  );
  assert.equal(new Set(ids).size, 3);
  for (const id of [...ids].reverse()) calls.answer(id, String(id));
  assert.deepEqual(
    await Promise.all(answers),
    ["a", "b", "c"].map((name, index) => name + ids[index]),
  );
});

test("a call is answered once: what comes later is ignored, and so is an id that nobody has", async () => {
  const calls = createCalls();
  let id = 0;
  const answer = calls.ask((call) => {
    id = call;
  });
  calls.refuse(id, new Error("no"));
  calls.answer(id, "yes");
  calls.refuse(id, new Error("no again"));
  calls.answer(0, "a signal's");
  calls.refuse(99, new Error("nobody's"));
  await assert.rejects(answer, /^Error: no$/);
});

test("a call may be answered while it is being made", async () => {
  const calls = createCalls();
  assert.equal(await calls.ask((id) => calls.answer(id, "at once")), "at once");
});

interface Timer {
  readonly kind: string;
  readonly slot?: number;
}

function withTimers(
  body: (timers: ReturnType<typeof createTimers<Timer>>, fired: string[]) => void,
): () => void {
  return () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const fired: string[] = [];
      body(
        createTimers(({ kind, slot = "" }) => fired.push(`${kind}${slot}`)),
        fired,
      );
    } finally {
      mock.timers.reset();
    }
  };
}

test(
  "a timer fires once, after its seconds",
  withTimers((timers, fired) => {
    timers.set({ kind: "slot", slot: 1 }, 0.5);
    mock.timers.tick(499);
    assert.deepEqual(fired, []);
    mock.timers.tick(1);
    mock.timers.tick(10_000);
    assert.deepEqual(fired, ["slot1"]);
  }),
);

test(
  "a timer that is set again is replaced; others are not",
  withTimers((timers, fired) => {
    timers.set({ kind: "slot", slot: 1 }, 1);
    timers.set({ kind: "slot", slot: 2 }, 1);
    mock.timers.tick(900);
    timers.set({ kind: "slot", slot: 1 }, 1);
    mock.timers.tick(100);
    assert.deepEqual(fired, ["slot2"]);
    mock.timers.tick(900);
    assert.deepEqual(fired, ["slot2", "slot1"]);
  }),
);

test(
  "a cleared timer never fires, and can be set again",
  withTimers((timers, fired) => {
    timers.set({ kind: "stop" }, 1);
    timers.clear({ kind: "stop" });
    timers.clear({ kind: "never set" });
    mock.timers.tick(2000);
    assert.deepEqual(fired, []);
    timers.set({ kind: "stop" }, 1);
    timers.set({ kind: "deploy" }, 1);
    timers.clearAll();
    mock.timers.tick(2000);
    assert.deepEqual(fired, []);
    timers.set({ kind: "stop" }, 1);
    mock.timers.tick(1000);
    assert.deepEqual(fired, ["stop"]);
  }),
);

test(
  "a timer that fires may set itself again",
  withTimers(() => {
    const fired: number[] = [];
    const timers = createTimers<string>((timer) => {
      fired.push(fired.length);
      timers.set(timer, 5);
    });
    timers.set("waiting", 5);
    for (let round = 0; round < 3; round += 1) mock.timers.tick(5000);
    assert.deepEqual(fired, [0, 1, 2]);
  }),
);

test(
  "more seconds than Node can count are many seconds, not none",
  withTimers((timers, fired) => {
    timers.set({ kind: "stop" }, 1e9);
    mock.timers.tick(86_400_000);
    assert.deepEqual(fired, []);
  }),
);
