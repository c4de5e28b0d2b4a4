/** Cuts the bytes of one pipe into whole lines, without decoding them. Owns the line that is not whole yet. */

export interface Lines {
  /** Takes what came and gives what may be written: whole lines, or a piece of one that is too long to wait for. */
  push(chunk: Buffer): Buffer | undefined;
  /** Ends the line that is not whole yet, and gives what is left of it. */
  end(): Buffer | undefined;
  /** What is left of the line that is not whole yet. */
  readonly rest: Buffer;
  /** True from a piece of a line to the end of that line. */
  readonly midLine: boolean;
}

const LONGEST_WAITING = 1024 * 1024;
const LINE_END = 10;
const NEWLINE = Buffer.of(LINE_END);
const EMPTY = Buffer.alloc(0);

export function splitLines(longestWaiting = LONGEST_WAITING): Lines {
  // Copied into one buffer that grows: a line may come one byte at a time, and each small read pins a large slab.
  let held = EMPTY;
  let length = 0;
  let midLine = false;

  function push(chunk: Buffer): Buffer | undefined {
    const end = chunk.lastIndexOf(LINE_END) + 1;
    if (end > 0) {
      const lines = takeWith(chunk.subarray(0, end));
      midLine = false;
      hold(chunk.subarray(end));
      return lines;
    }
    if (length + chunk.length >= longestWaiting) {
      midLine = true;
      return takeWith(chunk);
    }
    hold(chunk);
    return undefined;
  }

  function end(): Buffer | undefined {
    if (length === 0 && !midLine) return undefined;
    midLine = false;
    return takeWith(NEWLINE);
  }

  function takeWith(last: Buffer): Buffer {
    const all = length === 0 ? last : Buffer.concat([held.subarray(0, length), last]);
    held = EMPTY;
    length = 0;
    return all;
  }

  function hold(bytes: Buffer): void {
    if (length + bytes.length > held.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (length + bytes.length));
      held.copy(larger, 0, 0, length);
      held = larger;
    }
    bytes.copy(held, length);
    length += bytes.length;
  }

  return {
    push,
    end,
    get rest() {
      return held.subarray(0, length);
    },
    get midLine() {
      return midLine;
    },
  };
}
