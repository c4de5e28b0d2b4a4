/** How busy the machine is while the benchmarks do nothing: what other work takes, no figure can be trusted with. */
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** Above this share of the processors, what is measured is the other work. */
export const bearable = 0.05;

/** Waits, for so many seconds at the most, until nobody else works; returns the share that others still take. */
export async function awaitQuiet(seconds: number): Promise<number> {
  const began = performance.now();
  for (;;) {
    const share = await measureOthers();
    if (share <= bearable || performance.now() - began > seconds * 1000) return share;
  }
}

/** The share of all processors that is in use, over a second or so. */
export async function measureOthers(): Promise<number> {
  const before = readTicks();
  await delay(1_500);
  const after = readTicks();
  return 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
}

function readTicks(): { readonly idle: number; readonly all: number } {
  const [, ...fields] = readFileSync("/proc/stat", "utf8").split("\n", 1)[0]?.trim().split(/\s+/) ?? [];
  // user, nice, system, idle, iowait, irq, softirq, steal; the guests' time is in the user's already.
  const ticks = fields.slice(0, 8).map(Number);
  return {
    idle: (ticks[3] ?? 0) + (ticks[4] ?? 0),
    all: ticks.reduce((sum, each) => sum + each, 0),
  };
}
