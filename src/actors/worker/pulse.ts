/** How the worker is, in its own words. */
import type { Pulse } from "../../protocol/types.js";

// Whatever the app makes of it later.
const { rss } = process.memoryUsage;

/** Whether it was started for a debugger; one that comes later is told by the next pulse. */
export function isBornInspected(): boolean {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ""].some((words) =>
    /--inspect(-brk|-wait)?\b(?!-)/.test(words),
  );
}

let inspector: Promise<typeof import("node:inspector") | undefined> | undefined;

export async function takePulse(): Promise<Pulse> {
  // Not before somebody asks: the module costs time, and a Node may have been built without it.
  inspector ??= import("node:inspector").catch(() => undefined);
  return { memory: rss(), inspected: (await inspector)?.url() !== undefined };
}
