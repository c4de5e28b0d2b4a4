/** Which lines of a log are wanted, by the worker and the time that they tell of themselves. */

export interface LineFilter {
  /** Whole lines, or a piece of a long one. */
  pass(bytes: Buffer): Buffer;
  readonly hasSeenLines: boolean;
  /** Some line has told whose it is. */
  readonly knowsWorkers: boolean;
}

const NEWLINE = 10;
/** So many bytes of a line tell whose it is. */
const HEAD = 256;

export function createLineFilter({
  worker,
  since,
}: {
  readonly worker?: number | undefined;
  /** In seconds. */
  readonly since?: number | undefined;
}): LineFilter {
  const from = since === undefined ? undefined : Date.now() - since * 1000;
  let hasSeenLines = false;
  let knowsWorkers = false;
  /** Of a line that comes in pieces. */
  let isWanted = true;
  let isMidLine = false;

  function judge(line: Buffer): boolean {
    hasSeenLines = true;
    const head = line.toString("utf8", 0, HEAD);
    const time = /^(?:\{"time":")?(\d{4}-\d\d-\d\dT[\d:.]+Z)/.exec(head)?.[1];
    if (from !== undefined && time !== undefined && Date.parse(time) < from) return false;
    if (worker === undefined) return true;
    const slot =
      /^(?:\d{4}-\d\d-\d\dT[\d:.]+Z )?\[(\d+) \d+\] /.exec(head) ??
      /^\{"time":"[^"]+","worker":(\d+),/.exec(head);
    if (!slot) return false;
    knowsWorkers = true;
    return Number(slot[1]) === worker;
  }

  return {
    pass(bytes) {
      if (worker === undefined && from === undefined) return bytes;
      const kept: Buffer[] = [];
      for (let start = 0; start < bytes.length; ) {
        const found = bytes.indexOf(NEWLINE, start);
        const line = bytes.subarray(start, found < 0 ? bytes.length : found + 1);
        if (!isMidLine) isWanted = judge(line);
        isMidLine = found < 0;
        if (isWanted) kept.push(line);
        start += line.length;
      }
      return Buffer.concat(kept);
    },
    get hasSeenLines() {
      return hasSeenLines;
    },
    get knowsWorkers() {
      return knowsWorkers;
    },
  };
}
