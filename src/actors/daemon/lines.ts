/** Cuts the bytes of one pipe into whole lines, without decoding them. Owns the line that is not whole yet. */

export interface Lines {
  /**
   * Takes what came and gives what may be written: whole lines, or a piece of one that is too long to wait for. What
   * comes stands in `bytes` from `start` on, and what stands before that may be overwritten.
   */
  push(bytes: Buffer, start?: number): Buffer | undefined;
  /** Ends the line that is not whole yet, and gives what is left of it. */
  end(): Buffer | undefined;
  /** What is left of the line that is not whole yet. */
  readonly rest: Buffer;
  /** True from a piece of a line to the end of that line. */
  readonly midLine: boolean;
}

const LONGEST_WAITING = 1024 * 1024;
/** What holds the rest of a line is used again for the next one, unless it is as large as that. */
const LARGEST_KEPT = 64 * 1024;
const LINE_END = 10;
const NEWLINE = Buffer.of(LINE_END);
const EMPTY = Buffer.alloc(0);

export function splitLines(longestWaiting = LONGEST_WAITING): Lines {
  // Copied into one buffer that grows: a line may come one byte at a time, and whoever reads will read there again.
  let held = EMPTY;
  let length = 0;
  let midLine = false;

  function push(bytes: Buffer, start = 0): Buffer | undefined {
    const end = bytes.lastIndexOf(LINE_END) + 1;
    if (end > start) {
      const lines = takeWith(bytes, start, end);
      midLine = false;
      hold(bytes.subarray(end));
      return lines;
    }
    if (length + bytes.length - start >= longestWaiting) {
      midLine = true;
      return takeWith(bytes, start, bytes.length);
    }
    hold(bytes.subarray(start));
    return undefined;
  }

  function end(): Buffer | undefined {
    if (length === 0 && !midLine) return undefined;
    midLine = false;
    return takeWith(NEWLINE, 0, 1);
  }

  /** Where there is room for it, what was held is put before what came: a new buffer for each would be much garbage. */
  function takeWith(bytes: Buffer, start: number, end: number): Buffer {
    const from = start - length;
    const last = bytes.subarray(Math.max(from, 0), end);
    const kept = held.subarray(0, length);
    length = 0;
    if (held.length > LARGEST_KEPT) held = EMPTY;
    if (from < 0) return Buffer.concat([kept, bytes.subarray(start, end)]);
    kept.copy(last);
    return last;
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
