/**
 * Fuzz: any bytes into the socket, any JSON into a validator. There is always an answer or a clean close, never an
 * exception; memory stays bounded, and other connections are unharmed. `SEED=… RUNS=200000` repeats or deepens a run.
 */
import assert from "node:assert/strict";
import { connect as connectSocket } from "node:net";
import { test } from "node:test";
import type { Contract, Methods } from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { Host, Master } from "../../src/protocol/master.js";
import { explainErrors } from "../../src/protocol/problems.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { Supervisor, Worker } from "../../src/protocol/worker.js";
import { type Input, openFuzz } from "../support/protocol-fuzz.js";
import { cutFrames, type Frame, openWire, serve } from "../support/protocol-wire.js";
import { openRandom } from "../support/random.js";

const runs = Number(process.env.RUNS ?? 3000);
const random = openRandom();
const megabyte = 1024 * 1024;
const told = `SEED=${random.seed} RUNS=${runs}`;

test(`any JSON into every validator is accepted or refused (${told})`, () => {
  const fuzz = openFuzz(random);
  const contracts = [Daemon, Watcher, Master, Host, Supervisor, Worker] as unknown as Contract<Methods>[];
  const validators = contracts
    .flatMap(({ methods }) => Object.values(methods))
    .flatMap((method) => (method.kind === "request" ? [method.params, method.result] : [method.params]));
  for (let run = 0; run < runs; run++) {
    const value = fuzz.value(4);
    const validation = random.pick(validators)(value);
    if (validation.success) continue;
    const problems = explainErrors(validation.errors, "params");
    assert.ok(problems.length > 0 && JSON.stringify(problems).length < 10_000, told);
  }
});

test(`any bytes into the socket (${told})`, { timeout: 60_000 + runs * 5 }, async () => {
  const served = await serve();
  const witness = openWire(served.path);
  const fuzz = openFuzz(random);
  const before = process.memoryUsage().rss;
  let left = runs;
  const attack = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const input = fuzz.input();
      check(input, await exchange(served.path, input.bytes));
    }
  };
  const bearWitness = async (): Promise<void> => {
    for (let id = 0; left > 0; id++) {
      witness.send({ jsonrpc: "2.0", id, method: "daemon/hello" });
      assert.equal((await witness.next()).id, id);
    }
  };
  try {
    await Promise.all([bearWitness(), ...Array.from({ length: 8 }, attack)]);
  } finally {
    witness.socket.destroy();
    served.close();
  }
  const grown = (process.memoryUsage().rss - before) / megabyte;
  assert.ok(grown < 150, `${told}: grown by ${grown} MB`);
});

/** Sends the bytes, closes the sending half, and returns what came until the far side closed, too. */
function exchange(path: string, bytes: Buffer): Promise<Frame[]> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connectSocket({ path, allowHalfOpen: true });
    const tell = (what: string) =>
      reject(new Error(`${told}: ${what} after ${JSON.stringify(bytes.toString("latin1"))}`));
    socket.setTimeout(10_000, () => {
      tell("silence");
      socket.destroy();
    });
    socket.on("data", (chunk) => void chunks.push(chunk));
    socket.on("error", ({ message }) => tell(message));
    socket.on("end", () => {
      const { frames, rest } = cutFrames(Buffer.concat(chunks));
      if (rest.length > 0) tell(`half an answer, ${rest.toString()},`);
      resolve(frames);
    });
    socket.end(bytes);
  });
}

function check({ body }: Input, frames: readonly Frame[]): void {
  const where = `${told}: ${JSON.stringify(body?.toString())} got ${JSON.stringify(frames)}`;
  // A batch is answered by an array.
  for (const frame of frames.flat()) assert.ok(frame.jsonrpc === "2.0", where);
  if (!body) return;
  const message = parse(body);
  if (Array.isArray(message)) return checkBatch(message, frames, where);
  const answers = frames.filter(({ method }) => method === undefined);
  if (message === undefined)
    return assert.deepEqual([answers.length, answers[0]?.error !== undefined], [1, true], where);
  const { jsonrpc, id, method } = message;
  const isCall = jsonrpc === "2.0" && typeof method === "string";
  if (isCall && id === undefined) return assert.equal(answers.length, 0, where);
  if (isCall && (id === null || typeof id === "string" || typeof id === "number")) {
    assert.deepEqual([answers.length, answers[0]?.id], [1, id], where);
  }
}

function checkBatch(batch: readonly unknown[], frames: readonly Frame[], where: string): void {
  const batches = frames.filter(Array.isArray);
  if (batch.length === 0) return assert.equal(batches.length, 0, where);
  const isCall = (each: unknown): boolean =>
    typeof each === "object" && each !== null && !("id" in each) && "method" in each;
  if (!batch.some(isCall)) assert.ok(batches.length <= 1, where);
}

/** Undefined for what is not JSON, or neither object nor array. */
function parse(body: Buffer): { jsonrpc?: unknown; id?: unknown; method?: unknown } | unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body),
    );
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
