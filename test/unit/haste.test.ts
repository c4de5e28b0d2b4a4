/** Whether a log may be written to at once, by how quick its disk has been. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createHaste } from "../../src/actors/daemon/haste.js";

async function openHaste(path = join(tmpdir(), "a.log")) {
  let time = 1000;
  const haste = await createHaste(path, () => time);
  const pass = (ms: number): void => {
    time += ms;
  };
  return {
    pass,
    write: (ms: number) => haste.measure(() => pass(ms)),
    writeLater: (ms: number) => haste.measureLater(async () => pass(ms)),
    isSafe: haste.isSafe,
  };
}

test("a disk that is quick is written to at once", async () => {
  const { isSafe, write } = await openHaste();
  for (let count = 0; count < 100; count += 1) write(20);
  assert.equal(isSafe(), true);
});

test("one slow write is remembered for a second, and each after it for twice as long, up to half a minute", async () => {
  const { isSafe, pass, write } = await openHaste();
  for (const seconds of [1, 2, 4, 8, 16, 30, 30]) {
    write(40);
    assert.equal(isSafe(), false);
    pass(seconds * 1000 - 1);
    assert.equal(isSafe(), false, `${seconds} s`);
    pass(1);
    assert.equal(isSafe(), true, `${seconds} s`);
  }
  pass(60_000);
  write(40);
  pass(1000);
  assert.equal(isSafe(), true, "after a quiet minute it begins anew");
});

test("for as long as it goes on being slow, it is not tried again", async () => {
  const { isSafe, pass, write, writeLater } = await openHaste();
  write(40);
  for (let count = 0; count < 10; count += 1) {
    pass(500);
    await writeLater(40);
    assert.equal(isSafe(), false);
  }
  pass(1000);
  assert.equal(isSafe(), true);
});

test("a file system that is not this machine's own is never written to at once", async () => {
  const { isSafe } = await openHaste("/proc/self/a.log");
  assert.equal(isSafe(), false);
});
