/** The workers' output on the master's side: kept until a daemon has read it to its end, whichever daemon that is. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { createOutputs } from "../../src/actors/master/outputs.js";
import type { Client } from "../../src/protocol/contract.js";
import { NaughtError } from "../../src/protocol/errors.js";
import type { Host } from "../../src/protocol/master.js";
import type { Output } from "../../src/protocol/types.js";

type HostClient = Client<typeof Host>;

function createHost() {
  const told: { output: Output; answer(): void; lose(): void }[] = [];
  const output = (params: Output) =>
    new Promise<object>((resolve, reject) => {
      told.push({ output: params, answer: () => resolve({}), lose: () => reject(new NaughtError("Lost")) });
    });
  return { told, host: { output } as unknown as HostClient };
}

const worker = { id: 1, slot: 0, pid: 1, generation: 1 };
const wanted = { stdout: true, stderr: true, procfs: false };

test("a pipe is told of again to the next daemon, until one has read it", async () => {
  const outputs = createOutputs(wanted);
  const prepared = outputs.prepare();
  const child = spawn("true", { stdio: ["ignore", ...prepared.stdio] });
  const first = createHost();
  prepared.handOver(worker, child, first.host);
  assert.deepEqual(
    first.told.map(({ output }) => output.stream),
    ["stdout", "stderr"],
  );
  const paths = first.told.map(({ output }) => output.path ?? "");
  first.told[0]?.answer();
  first.told[1]?.lose();
  await setImmediate();
  assert.deepEqual(paths.map(existsSync), [false, true]);
  const second = createHost();
  outputs.announce(second.host);
  assert.deepEqual(
    second.told.map(({ output }) => output.path),
    [paths[1]],
  );
  second.told[0]?.answer();
  await setImmediate();
  assert.deepEqual(paths.map(existsSync), [false, false]);
  outputs.announce(second.host);
  assert.equal(second.told.length, 1);
  outputs.close();
});

test("a worker that could not be forked leaves no pipe behind, and an output that nobody wants has none", () => {
  const outputs = createOutputs({ ...wanted, stderr: false });
  const prepared = outputs.prepare();
  assert.equal(typeof prepared.stdio[0], "number");
  assert.equal(prepared.stdio[1], "ignore");
  prepared.discard();
  const { host, told } = createHost();
  outputs.announce(host);
  assert.deepEqual(told, []);
  outputs.close();
});
