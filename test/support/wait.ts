/** Waits for what announces itself by no event: asks often, and gives up loudly. */
import { setTimeout as delay } from "node:timers/promises";

const interval = 15;

/** Resolves with the first answer that is neither `undefined` nor `false`. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  ms = 10_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain for ${what}`);
    await delay(interval);
  }
}
