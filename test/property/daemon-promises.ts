/** What the daemon's machine promises, checked on every step of a history from messages and effects alone. */
import assert from "node:assert/strict";
import type { Effect, Message } from "../../src/actors/daemon/state.js";
import type { Serving } from "../../src/protocol/types.js";

export interface Promises {
  /** One step: what was told, and what came of it. */
  check(message: Message, effects: readonly Effect[]): void;
  /** The world has been fair for as long as it takes. */
  checkPeace(): void;
  readonly ended: boolean;
}

type Kind = "lifeline" | "start" | "status" | "deploy" | "attachDeploy" | "abortDeploy" | "stop" | "watch";

export function openPromises(): Promises {
  const pending = new Map<number, { readonly kind: Kind; readonly client: number }>();
  const gone = new Set<number>();
  let sequence = 0;
  let opened = 0;
  let closes = 0;
  let ended = false;
  let stopped = false;
  let hasMaster = false;
  let serving: Serving | null = null;

  function note(message: Message): void {
    if ("call" in message && "client" in message && message.call > 0)
      pending.set(message.call, { kind: message.type, client: message.client });
    if (message.type === "stop") stopped = true;
    if (message.type === "clientGone") gone.add(message.client);
    if (message.type === "masterServing") serving = message.serving;
    if (message.type === "masterExited") hasMaster = false;
  }

  function answer(call: number, message: Message, accepted: boolean): void {
    if (call === 0) return;
    assert.ok(pending.has(call), `call ${call} is answered twice, or was never made`);
    const { kind, client } = pending.get(call) ?? {};
    pending.delete(call);
    // Nobody hears it.
    if (message.type === "clientGone") return assert.ok(!accepted && client === message.client);
    const closing = message.type === "closed" || message.type === "openFailed";
    const early = "call" in message && message.call === call && message.type === "stop";
    if (kind === "stop") assert.ok(closing || early, "a stop is answered when everything is closed");
    if (kind === "start" && accepted && message.type === "masterAnswered") {
      assert.ok(
        "outcome" in message.result && message.result.outcome === "ready",
        "a start that failed is rolled back first",
      );
    }
  }

  function perform(effect: Effect, message: Message): void {
    switch (effect.type) {
      case "reply":
      case "refuse":
        return answer(effect.call, message, effect.type === "reply");
      case "open":
        opened += 1;
        return assert.equal(opened, 1, "files are opened once");
      case "startMaster":
        assert.ok(!hasMaster, "one master at a time");
        assert.ok(!stopped, "no master after a stop");
        assert.equal(closes, 0, "no master after the close");
        hasMaster = true;
        if (!effect.start.resume) return;
        return assert.deepEqual(
          {
            launch: effect.start.launch,
            workerCount: effect.start.workerCount,
            generation: effect.start.generation,
          },
          { launch: serving?.launch, workerCount: serving?.workerCount, generation: serving?.generation },
          "a new master serves what the last one served",
        );
      case "askMaster":
        return assert.ok(hasMaster, "only a master can be asked");
      case "event":
        sequence += 1;
        assert.equal(effect.event.sequence, sequence, "events are numbered without gaps");
        return checkAudience(effect.clients);
      case "tellWaiting":
        return checkAudience(effect.clients);
      case "close":
        closes += 1;
        assert.equal(closes, 1, "files are closed once");
        return assert.ok(!hasMaster, "the master goes first");
      case "end":
        assert.ok(!ended, "the end comes once");
        ended = true;
        return assert.equal(
          pending.size,
          0,
          `calls ${[...pending.keys()].join(", ")} are left without an answer`,
        );
    }
  }

  function checkAudience(clients: readonly number[]): void {
    assert.equal(new Set(clients).size, clients.length, "nobody is told twice");
    assert.ok(!clients.includes(0), "a signal is nobody to be told");
  }

  return {
    check(message, effects) {
      const wasOver = ended;
      note(message);
      for (const effect of effects) {
        if (wasOver)
          assert.ok(effect.type === "reply" || effect.type === "refuse", `${effect.type} after the end`);
        perform(effect, message);
      }
      const events = effects.filter(({ type }) => type === "event").length;
      const logs = effects.filter(({ type }) => type === "log").length;
      assert.ok(logs >= events, "every event is in the log");
    },
    checkPeace() {
      assert.equal(pending.size, 0, `calls ${[...pending].join(", ")} wait for ever`);
      if (stopped) assert.ok(ended, "a stop ends");
      assert.equal(hasMaster, !ended && opened > 0, "a server that is not stopped has a master");
    },
    get ended() {
      return ended;
    },
  };
}
