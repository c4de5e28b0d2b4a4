/** A deploy that left one old worker in place was none. */

/** Resolves with what `deploy` resolves with. */
export async function replaceAll(workers: () => number[], deploy: () => Promise<number>): Promise<number> {
  const before = workers();
  const ms = await deploy();
  const after = workers();
  const left = after.filter((pid) => before.includes(pid));
  if (left.length > 0 || after.length !== before.length) {
    throw new Error(`not a deploy: ${before.length} workers became ${after.length}, ${left.length} stayed`);
  }
  return ms;
}
