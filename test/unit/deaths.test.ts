/** A death is completed with last words and the blame of memory, and overtaken by nothing meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { countMemoryKills, createDeaths } from "../../src/actors/daemon/deaths.js";
import { passInTurn } from "../../src/actors/daemon/in-turn.js";
import type { PoolEvent } from "../../src/protocol/types.js";
import { poolEvent } from "../support/daemon-machine.js";

const worker = { id: 1, slot: 0, pid: 42, generation: 1 };
const die = (reason: string): PoolEvent =>
  poolEvent("WorkerDeath", {}, { worker, detail: `${reason} after 1.0 s`, death: { reason, seconds: 1 } });

function complete(reason: string, stderr: string[], kills: number[] = [0, 0]): Promise<PoolEvent> {
  return createDeaths({ tail: async () => stderr }, () => kills.shift() ?? 0).complete(die(reason));
}

test("its last lines come with it, ten at the most", async () => {
  const lines = Array.from({ length: 20 }, (_, n) => `line ${n}`);
  const { death, detail } = await complete("exited with code 1", lines);
  assert.deepEqual(death?.stderr, lines.slice(10));
  assert.equal(detail, "exited with code 1 after 1.0 s");
  assert.equal((await complete("exited with code 1", [])).death?.stderr, undefined);
});

test("a full heap is told from another abort", async () => {
  const full = ["FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"];
  const { death, detail } = await complete("was killed by SIGABRT", full);
  assert.equal(death?.reason, "was killed by SIGABRT (its JavaScript heap was full)");
  assert.equal(detail, "was killed by SIGABRT (its JavaScript heap was full) after 1.0 s");
  assert.equal((await complete("was killed by SIGABRT", [])).death?.reason, "was killed by SIGABRT");
  assert.equal((await complete("exited with code 1", full)).death?.reason, "exited with code 1");
});

test("the kernel's killing for want of memory is told from another's SIGKILL", async () => {
  const blamed = await complete("was killed by SIGKILL", [], [3, 4]);
  assert.equal(blamed.death?.reason, "was killed by SIGKILL (by the kernel, for want of memory)");
  assert.equal((await complete("was killed by SIGKILL", [], [3, 3])).death?.reason, "was killed by SIGKILL");
});

test("the kernel's count is found in both versions of control groups, in and out of containers", () => {
  const count = (files: Readonly<Record<string, string>>): number =>
    countMemoryKills((path) => {
      const text = files[path];
      if (text === undefined) throw new Error("ENOENT");
      return text;
    });
  const events = "low 0\nmax 3\noom 4\noom_kill 5\noom_group_kill 0\n";
  const control = "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n";
  assert.equal(count({ "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.events": events }), 5);
  assert.equal(count({ "/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/memory.events": events }), 5);
  const legacy = "9:cpu,memory:/x\n0::/\n";
  assert.equal(
    count({ "/proc/self/cgroup": legacy, "/sys/fs/cgroup/memory/x/memory.oom_control": control }),
    6,
  );
  assert.equal(
    count({ "/proc/self/cgroup": legacy, "/sys/fs/cgroup/memory/memory.oom_control": control }),
    6,
  );
  assert.equal(count({}), 0);
});

test("what has to be waited for is overtaken by nothing", async () => {
  const passed: number[] = [];
  const pass = passInTurn<number>((n) => passed.push(n));
  pass(1);
  let settle: (n: number) => void = () => {};
  pass(new Promise<number>((resolve) => (settle = resolve)));
  pass(3);
  pass(Promise.resolve(4));
  pass(5);
  await new Promise(setImmediate);
  assert.deepEqual(passed, [1]);
  settle(2);
  await new Promise(setImmediate);
  assert.deepEqual(passed, [1, 2, 3, 4, 5]);
  pass(6);
  assert.equal(passed.at(-1), 6);
});
