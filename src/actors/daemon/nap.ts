/**
 * A nap of the whole process, for whoever reads what others write in small pieces: each read costs the same, however little
 * it brings, and meanwhile more of it comes together. Node has no timer that is as short; nothing here waits for less.
 */

/** Milliseconds: what one worker prints line by line in that time is a third of what its pipe holds. */
const LENGTH_MS = 0.15;

const bed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
let isDue = false;

/** Once everything that is ready in this turn of the event loop is dealt with. */
export function napSoon(): void {
  if (isDue) return;
  isDue = true;
  setImmediate(nap);
}

function nap(): void {
  isDue = false;
  Atomics.wait(bed, 0, 0, LENGTH_MS);
}
