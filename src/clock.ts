/** The clock by which everything here is timed: monotonic, in milliseconds. */

/** Not `performance.now()`: for that Node loads a good deal at its first use, in each process. */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
