/** The time of day may be set while a server runs: nothing is decided by it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { step } from "../../src/actors/daemon/machine.js";
import { other, running, third } from "../support/daemon-machine.js";

const asks = (effects: readonly { readonly type: string }[]): boolean =>
  effects.some(({ type }) => type === "askMaster");

test("a stop that has to be over sooner shortens the first one, though the clock was set forward meanwhile", () => {
  const { state } = running();
  const first = { type: "stop", call: 8, client: other, stop: { timeout: 60 } } as const;
  const stopping = step(state, first, "2026-01-01T00:00:00.000Z", 1000);
  const hurried = { type: "stop", call: 9, client: third, stop: { timeout: 1 } } as const;
  assert.ok(asks(step(stopping.state, hurried, "2026-01-01T08:00:00.000Z", 2000).effects));
});

test("one that would be over later does not, though the clock was set back", () => {
  const { state } = running();
  const first = { type: "stop", call: 8, client: other, stop: { timeout: 10 } } as const;
  const stopping = step(state, first, "2026-01-01T08:00:00.000Z", 1000);
  const patient = { type: "stop", call: 9, client: third, stop: { timeout: 60 } } as const;
  assert.ok(!asks(step(stopping.state, patient, "2026-01-01T00:00:00.000Z", 2000).effects));
});
