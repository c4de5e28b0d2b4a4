/** Every line that a worker prints is in the log or its archives: once, whole, and in its order. LINES makes it longer. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { listArchives, readLog, readLogBytes } from "../support/log-files.js";
import { e2e } from "../support/naught.js";
import { server } from "../support/servers.js";

const times = Number(process.env.LINES ?? 1);

interface Case {
  readonly workers: number;
  readonly size: number;
  readonly count: number;
  readonly rotate: number;
}

const cases: readonly Case[] = [
  { workers: 1, size: 40, count: 1000, rotate: 300 },
  { workers: 8, size: 40, count: 60, rotate: 300 },
  { workers: 8, size: 40, count: 1000, rotate: 10_485_760 },
  { workers: 8, size: 8192, count: 30, rotate: 50_000 },
  { workers: 2, size: 1_000_000, count: 2, rotate: 1_500_000 },
];

/** Prints at boot, and again right before process.exit, or a throw. */
const script = `
  const { SIZE, COUNT } = process.env;
  const http = require("node:http");
  let number = 0;
  const print = () => {
    for (let i = 0; i < COUNT; i++) {
      const head = process.pid + " " + number++ + " ";
      console.log(head + "☃".repeat(Math.max(0, Math.floor((SIZE - head.length - 2) / 3))) + ";");
    }
  };
  print();
  http.createServer((_, response) => response.end("ok")).listen(process.env.PORT, process.env.HOST, () => process.send("online"));
  process.on("message", (message) => {
    if (message !== "shutdown") return;
    print();
    if (process.env.NAUGHT_WORKER === "0") throw new Error("at last");
    process.exit(0);
  });`;

for (const { workers, size, count, rotate } of cases) {
  test(
    `${workers} workers, lines of ${size} bytes, a new file every ${rotate}: a deploy, a stop, bursts before the end`,
    e2e(async (naught) => {
      const lines = count * times;
      const env = { SIZE: String(size), COUNT: String(lines) };
      const options = ["--worker-count", String(workers), "--max-log-size", String(rotate)];
      const file = naught.write("server.cjs", script);
      await naught.succeed(["start", ...options, "--max-log-files", "none", file], { env });
      await naught.succeed(["deploy"], { env });
      await naught.succeed(["stop"]);
      const numbers = new Map<string, number[]>();
      for (const line of (await readLog(naught.path("stdout.log"))).split("\n").slice(0, -1)) {
        const [, pid = "", number, rest = ""] = /^(\d+) (\d+) (☃*);$/.exec(line) ?? [];
        assert.ok(number !== undefined, `torn: ${line.slice(0, 100)}`);
        assert.ok(
          Math.abs(Buffer.byteLength(line) + 1 - size) < 20,
          `${rest.length} of ${line.slice(0, 40)}`,
        );
        numbers.set(pid, [...(numbers.get(pid) ?? []), Number(number)]);
      }
      assert.equal(numbers.size, 2 * workers);
      for (const own of numbers.values()) assert.deepEqual(own, [...Array(2 * lines).keys()]);
      const archives = await listArchives(naught.path("stdout.log"));
      assert.ok(archives.every((name) => name.endsWith(".gz")));
      assert.match(await readLog(naught.path("stderr.log")), /Error: at last/);
    }),
  );
}

test(
  "only so many archives are kept, and nobody else's file is touched",
  e2e(async (naught) => {
    const env = { SIZE: "100", COUNT: "200" };
    naught.write("stdout-mine.log", "mine\n");
    const file = naught.write("server.cjs", script);
    await naught.succeed(["start", "--max-log-size", "1000", "--max-log-files", "3", file], { env });
    await naught.succeed(["stop"]);
    const archives = (await listArchives(naught.path("stdout.log"))).filter((name) => /\dZ/.test(name));
    assert.equal(archives.length, 3);
    assert.equal(naught.read("stdout-mine.log"), "mine\n");
  }),
);

test(
  "bytes that are no text, characters that come in pieces, and an end without a newline are in the log as they were",
  e2e(async (naught) => {
    const text = Buffer.from("snow ☃ and 雪, 🌨\n".repeat(3000));
    const bytes = Buffer.concat([
      text,
      Buffer.alloc(
        200_000,
        Uint8Array.from({ length: 256 }, (_, index) => index),
      ),
      Buffer.from("\n\n\r\n\0\n"),
      Buffer.from([0xe2, 0x98]),
    ]);
    writeFileSync(naught.path("bytes"), bytes);
    const env = { BYTES: naught.path("bytes") };
    const options = ["--max-log-size", "5000", "--max-log-files", "none"];
    await naught.succeed(["start", ...options, server("raw-bytes.cjs")], { env });
    await naught.succeed(["stop"]);
    const logged = await readLogBytes(naught.path("stdout.log"));
    // The line that it did not end is ended, so that another one may follow.
    assert.ok(
      logged.equals(Buffer.concat([bytes, Buffer.from("\n")])),
      `${logged.length} of ${bytes.length}`,
    );
    assert.ok((await listArchives(naught.path("stdout.log"))).length > 1);
  }),
);

test(
  "workers that end in the middle of a line do not share it",
  e2e(async (naught) => {
    const file = naught.write(
      "server.cjs",
      `
      process.on("message", () => {
        process.stdout.write(process.pid + " has no newline");
        process.env.NAUGHT_WORKER === "0" ? process.exit() : setImmediate(() => { throw new Error("at last"); });
      });
      require("node:http").createServer().listen(process.env.PORT, process.env.HOST, () => process.send("online"));`,
    );
    await naught.succeed(["start", "--worker-count", "4", file]);
    const pids = naught.workers().map(({ pid }) => pid);
    await naught.succeed(["stop"]);
    const lines = naught.read("stdout.log").split("\n");
    assert.deepEqual(lines.sort(), ["", ...pids.map((pid) => `${pid} has no newline`)].sort());
  }),
);
