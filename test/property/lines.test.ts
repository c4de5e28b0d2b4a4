import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { splitLines } from "../../src/actors/daemon/lines.js";
import { createOutputs } from "../../src/actors/daemon/output.js";
import { createMemoryLog, type MemoryLog } from "../support/memory-log.js";
import { createPairs, type Pairs } from "../support/pipes.js";

const NEWLINE = 10;

const binary = fc
  .uint8Array({ maxLength: 200 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== NEWLINE)));
const words = fc
  .string({ unit: "grapheme", maxLength: 100 })
  .map((text) => Buffer.from(text.replaceAll("\n", "")));
const long = fc.integer({ min: 1, max: 200_000 }).map((length) => Buffer.alloc(length, "☃"));
const line = fc.oneof(
  { weight: 4, arbitrary: binary },
  { weight: 4, arbitrary: words },
  { weight: 1, arbitrary: long },
);
/** Where to cut, in thousandths of the whole. */
const cuts = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 20 });

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = at.map((part) => Math.floor((part * bytes.length) / 1000)).sort((a, b) => a - b);
  const chunks = [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
  return chunks.filter((chunk) => chunk.length > 0);
}

test("what goes into the splitter comes out of it: in order, whole, with at most one newline more", () => {
  fc.assert(
    fc.property(
      fc.array(line),
      fc.boolean(),
      cuts,
      fc.integer({ min: 1, max: 300_000 }),
      (lines, ended, at, limit) => {
        const bytes = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\n")]));
        const input = ended ? bytes : bytes.subarray(0, -1);
        const splitter = splitLines(limit);
        const output: Buffer[] = [];
        for (const chunk of cut(input, at)) {
          const given = splitter.push(chunk);
          if (given !== undefined) {
            output.push(given);
            assert.equal(splitter.midLine, given.at(-1) !== NEWLINE);
            if (splitter.midLine) assert.ok(given.length >= limit, "nothing is torn that could be held");
          }
          assert.ok(splitter.rest.length < Math.max(limit, chunk.length), "what is held is bounded");
        }
        const last = splitter.end();
        if (last !== undefined) output.push(last);
        const expected =
          input.length === 0 || input.at(-1) === NEWLINE ? input : Buffer.concat([input, Buffer.from("\n")]);
        assert.ok(Buffer.concat(output).equals(expected));
      },
    ),
    { numRuns: 2000 },
  );
});

let pairs: Pairs;
before(async () => {
  pairs = await createPairs();
});
after(() => pairs.close());

const worker = fc.record({ lines: fc.array(line, { maxLength: 30 }), at: cuts });

test("however the lines of several workers are cut, and whenever the log is behind, each comes whole, once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(worker, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      async (workers, pace) => {
        const log = createMemoryLog(fallBehindEvery(pace));
        const outputs = createOutputs({ stdout: log, stderr: createMemoryLog() });
        await Promise.all(
          workers.map(async ({ lines, at }, id) => {
            const { handle, writer } = await pairs.open();
            outputs.attach({ worker: { id, slot: id, pid: 1, generation: 1 }, stream: "stdout" }, handle);
            const bytes = Buffer.concat(
              lines.flatMap((line) => [Buffer.from(`${id}:`), line, Buffer.from("\n")]),
            );
            await writeAll(writer, cut(bytes, at));
          }),
        );
        await outputs.close(60_000);
        for (const chunk of log.chunks) assert.equal(chunk.at(-1), NEWLINE);
        const written = splitAtNewlines(Buffer.concat(log.chunks));
        assert.equal(
          written.length,
          workers.reduce((sum, { lines }) => sum + lines.length, 0),
        );
        for (const [id, { lines }] of workers.entries()) {
          const prefix = `${id}:`;
          const own = written.filter((line) => line.toString("latin1", 0, prefix.length) === prefix);
          assert.deepEqual(
            own.map((line) => line.toString("latin1", prefix.length)),
            lines.map((line) => line.toString("latin1")),
          );
        }
      },
    ),
    { numRuns: 300 },
  );
});

function fallBehindEvery(pace: number): (log: MemoryLog) => void {
  return (log) => {
    if (log.chunks.length % pace !== 0) return;
    log.setWritable(false);
    setImmediate(() => log.setWritable(true));
  };
}

async function writeAll(writer: Socket, chunks: readonly Buffer[]): Promise<void> {
  writer.setNoDelay(true);
  for (const chunk of chunks) await new Promise((resolve) => writer.write(chunk, resolve));
  await new Promise<void>((resolve) => {
    writer.once("close", () => resolve());
    writer.end();
  });
}

function splitAtNewlines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, from);
    lines.push(bytes.subarray(from, end));
    from = end + 1;
  }
  return lines;
}
