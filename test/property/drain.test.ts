/** The drain in a simulated world: connections that do anything at any time, and a clock that the test winds. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Doing,
  type DrainEffect,
  type DrainMessage,
  type Effect,
  type Fact,
  gathering,
  step,
  stepConnection,
} from "../../src/actors/worker/drain.js";

type Happening =
  | { readonly kind: "open" | "ask" | "answer" | "part" | "upgrade" | "hangUp"; readonly which: number }
  | { readonly kind: "pass"; readonly ms: number };

const which = fc.nat({ max: 15 });
const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("ask" as const), which }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("answer" as const), which }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("open", "part", "upgrade", "hangUp"), which }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("pass" as const), ms: fc.nat({ max: 9000 }) }) },
);

const history = fc.record({
  patience: fc.nat({ max: 10_000 }),
  timeout: fc.nat({ max: 60_000 }),
  before: fc.array(happening, { maxLength: 30 }),
  after: fc.array(happening, { maxLength: 60 }),
});

test("whatever connections do, the drain keeps its promises", () => {
  fc.assert(
    fc.property(history, ({ patience, timeout, before, after }) => {
      const world = openWorld(patience);
      for (const each of before) world.happen(each);
      world.drain(timeout);
      for (const each of after) world.happen(each);
      world.wind(Math.max(patience, timeout));
      assert.ok(world.settledAt !== undefined, "it settles");
      assert.ok(world.settledAt <= world.lastHeard + Math.max(patience, timeout), "as soon as it may");
    }),
    { numRuns: 20_000, seed: 20_260_101 },
  );
});

/** A connection as it is; what the drain believes of it is kept apart. */
interface Peer {
  life: "idle" | "busy" | "upgraded" | "closed";
  /** Since when it has been idle, during the drain. */
  since: number;
  doing: Doing;
  timer?: number | undefined;
}

const lives = { ask: "busy", part: "busy", answer: "idle", upgrade: "upgraded", hangUp: "closed" } as const;

interface World {
  readonly settledAt: number | undefined;
  readonly lastHeard: number;
  happen(event: Happening): void;
  drain(timeout: number): void;
  wind(ms: number): void;
}

function openWorld(patience: number): World {
  const peers: Peer[] = [];
  let now = 0;
  let drain = gathering;
  let limit: number | undefined;
  let deadline = Number.POSITIVE_INFINITY;
  let drainAt: number | undefined;
  let settledAt: number | undefined;
  let lastHeard = 0;

  function tell(peer: Peer, fact: Fact): void {
    if (drainAt === undefined || settledAt !== undefined) return;
    const from = peer.doing;
    const next = stepConnection(from, fact);
    peer.doing = next.state;
    for (const effect of next.effects) perform(peer, effect);
    advance({ is: "moved", from, to: next.state });
  }

  function perform(peer: Peer, effect: Effect): void {
    switch (effect.do) {
      case "startTimer":
        assert.equal(peer.timer, undefined, "one timer for one connection");
        peer.timer = now + effect.ms;
        return;
      case "stopTimer":
        assert.notEqual(peer.timer, undefined, "only a timer that runs is stopped");
        peer.timer = undefined;
        return;
      case "close":
        assert.equal(peer.life, "idle", "only an idle connection is closed");
        assert.equal(now, peer.since + patience, "when its time is over, not before and not after");
        peer.life = "closed";
    }
  }

  function advance(message: DrainMessage): void {
    const next = step(drain, message);
    drain = next.state;
    for (const effect of next.effects) performForAll(effect);
    const count = (doing: Doing) => peers.filter((peer) => peer.doing === doing).length;
    if (settledAt === undefined) assert.deepEqual([drain.idle, drain.busy], [count("idle"), count("busy")]);
  }

  function performForAll(effect: DrainEffect): void {
    switch (effect.do) {
      case "startTimer":
        limit = now + effect.ms;
        deadline = limit;
        return;
      case "stopTimer":
        assert.notEqual(limit, undefined);
        limit = undefined;
        return;
      case "settle":
        assert.equal(settledAt, undefined, "it settles once");
        settledAt = now;
        assert.equal(limit, undefined, "no timer outlives it");
        // One that has just gone off may be what settles it.
        assert.ok(peers.every(({ timer }) => timer === undefined || timer === now));
        assert.ok(
          peers.every(({ life }) => life !== "idle"),
          "nobody may still ask",
        );
        if (now < deadline) assert.ok(peers.every(({ life }) => life !== "busy"));
    }
  }

  function look(peer: Peer): Fact {
    if (peer.life === "closed") return { is: "closed" };
    if (peer.life === "upgraded") return { is: "freed" };
    if (peer.life === "busy") return { is: "asked" };
    peer.since = now;
    return { is: "quiet", patience };
  }

  function happen(event: Happening): void {
    if (event.kind === "pass") wind(event.ms);
    else if (event.kind === "open") open();
    else {
      const peer = peers[event.which % Math.max(peers.length, 1)];
      if (peer !== undefined && (peer.life === "idle" || peer.life === "busy")) change(peer, event.kind);
    }
  }

  function open(): void {
    const peer: Peer = { life: "idle", since: now, doing: "new" };
    peers.push(peer);
    lastHeard = now;
    tell(peer, look(peer));
  }

  function change(peer: Peer, kind: "ask" | "answer" | "part" | "upgrade" | "hangUp"): void {
    if (kind === "answer" && peer.life !== "busy") return;
    lastHeard = now;
    peer.life = lives[kind];
    // Nothing tells of a part of a request: it is found when the timer is up.
    if (kind !== "part") tell(peer, look(peer));
  }

  function begin(timeout: number): void {
    drainAt = now;
    lastHeard = now;
    for (const peer of peers) tell(peer, look(peer));
    advance({ is: "gathered", timeout });
  }

  /** Timers go off in their order. */
  function wind(ms: number): void {
    const end = now + ms;
    for (;;) {
      const next = Math.min(limit ?? end + 1, ...peers.map(({ timer }) => timer ?? end + 1));
      if (next > end) break;
      now = next;
      goOff();
    }
    now = end;
  }

  function goOff(): void {
    const peer = peers.find(({ timer }) => timer === now);
    if (peer !== undefined) {
      assert.ok(peer.life === "idle" || peer.life === "busy", "a timer is about a connection that was idle");
      tell(peer, peer.life === "busy" ? { is: "asked" } : { is: "expired" });
      peer.timer = undefined;
      return;
    }
    limit = undefined;
    advance({ is: "timedOut" });
  }

  return {
    get settledAt() {
      return settledAt;
    },
    get lastHeard() {
      return Math.max(lastHeard, drainAt ?? 0);
    },
    happen,
    drain: begin,
    wind,
  };
}
