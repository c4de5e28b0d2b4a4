/** A disk that is slow, and a worker that prints more than anybody can write: neither is the others' harm. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { server } from "../support/servers.js";
import { tamperWithFile } from "../support/starve.js";
import { until } from "../support/wait.js";

const megabyte = 2 ** 20;

/** Who printed each line, and when. */
function readTimes(naught: Naught): { slot: string; time: number; text: string }[] {
  return naught
    .read("stdout.log")
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [slot = "", time = "", text = ""] = line.split(" ");
      return { slot, time: Number(time), text };
    });
}

test(
  "one worker's flood does not keep the others' lines from the disk",
  e2e(async (naught) => {
    const env = { BYTES: String(60 * megabyte) };
    const options = ["--worker-count", "3", "--max-log-size", "1000000000"];
    await naught.succeed(["start", ...options, server("slow-log.cjs")], { env });
    await until("the flood to be over", () => / over\n/.test(naught.read("stdout.log").slice(-4000)), 60_000);
    await naught.succeed(["stop"]);
    let flooded = 0;
    let latest = 0;
    const delays: number[] = [];
    for (const { slot, time, text } of readTimes(naught)) {
      if (text === "over") break;
      if (slot === "0") {
        latest = Math.max(latest, time);
        flooded += 1;
        // How much newer are lines of the flood that were written before it?
      } else if (flooded > 0) delays.push(latest - time);
    }
    assert.ok(delays.length >= 10, `only ${delays.length} lines beside the flood`);
    assert.ok(Math.max(...delays) < 2000, `${Math.max(...delays)} ms behind the flood`);
  }),
);

test(
  "a slow disk slows who prints: naught answers, requests are served, memory stays as it was",
  e2e(async (naught) => {
    mkdirSync(naught.path("disk"));
    const env = { BYTES: String(1000 * megabyte) };
    const options = ["--worker-count", "2", "--stdout", "disk/stdout.log"];
    await naught.succeed(["start", ...options, server("slow-log.cjs")], { env });
    const daemon = naught.daemon();
    const file = naught.path("disk/stdout.log");
    const release = await tamperWithFile(daemon, "write", "delay_enter=200000", file);
    naught.defer(release);
    const size = () => readFileSync(file).length;
    const before = { size: size(), resident: readResident(daemon) };
    const load = await startLoad(naught, { keepAlive: 2, fresh: 1, slow: 1, slowMs: 500 });
    const times: number[] = [];
    for (let count = 0; count < 5; count += 1) {
      const began = performance.now();
      await naught.succeed(["status"]);
      times.push(performance.now() - began);
    }
    assertUnhurt(await load.stop());
    const grown = size() - before.size;
    const more = readResident(daemon) - before.resident;
    await release();
    await naught.succeed(["stop"]);
    assert.ok(Math.max(...times) < 5000, `status took ${times.map(Math.round).join(", ")} ms`);
    assert.ok(grown < 50 * megabyte, `the disk was not slow: ${grown} bytes`);
    assert.ok(more < 30 * megabyte, `${more} bytes more memory`);
  }),
);

/** Bytes. */
function readResident(pid: number): number {
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
