/** How Node is told to be modest in the processes that supervise: the daemon and the master. */
import type { Start } from "../protocol/types.js";

/**
 * Garbage is collected early, so that a daemon under a flood of clients grows by megabytes instead of a hundred, and so
 * does what a hundred deploys leave behind. Nobody inherits these: whatever is started from there is told its own.
 */
export const thrifty: readonly string[] = [
  "--max-semi-space-size=1",
  "--optimize-for-size",
  // A megabyte of code that is run for a moment only, until it is optimized or not needed any more.
  "--no-sparkplug",
  // Each thread that compiles keeps the memory that it once needed.
  "--v8-pool-size=1",
  // For `tidier.ts`.
  "--expose-gc",
];

/**
 * A master does nothing often, and optimizing what little that is takes 4 MB more; unless it hands out the connections
 * itself.
 */
export function makeMasterThrifty({ balance }: Pick<Start, "balance">): readonly string[] {
  return balance === "round-robin" ? thrifty : [...thrifty, "--no-opt"];
}
