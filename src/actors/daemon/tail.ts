/** The last words of one worker, fit to be shown in a terminal. Owns a few short lines. */
import { stripVTControlCharacters } from "node:util";

export interface Tail {
  /** Takes bytes as they go to the log: whole lines, or pieces of one. */
  push(bytes: Buffer): void;
  /** Gives the lines; `rest` is the one that is not whole yet. */
  read(rest: Buffer): string[];
}

const MOST_LINES = 20;
const MOST_CHARS = 500;
/** More than the characters need, because escapes go. */
const MOST_BYTES = 8 * MOST_CHARS;
const NEWLINE = 10;

export function keepTail(): Tail {
  let lines: string[] = [];
  let midLine = false;

  function push(bytes: Buffer): void {
    const fresh = midLine ? skipLine(bytes) : bytes;
    midLine = bytes.at(-1) !== NEWLINE;
    if (fresh.length > 0) lines = [...lines, ...readLastLines(fresh)].slice(-MOST_LINES);
  }

  function read(rest: Buffer): string[] {
    return rest.length === 0 || midLine ? lines : [...lines, clean(rest)].slice(-MOST_LINES);
  }

  return { push, read };
}

function skipLine(bytes: Buffer): Buffer {
  const end = bytes.indexOf(NEWLINE);
  return end < 0 ? bytes.subarray(bytes.length) : bytes.subarray(end + 1);
}

/** From the back, so that a large chunk costs no more than a small one. */
function readLastLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  let end = bytes.at(-1) === NEWLINE ? bytes.length - 1 : bytes.length;
  while (end >= 0 && lines.length < MOST_LINES) {
    const start = end === 0 ? 0 : bytes.lastIndexOf(NEWLINE, end - 1) + 1;
    lines.push(clean(bytes.subarray(start, end)));
    end = start - 1;
  }
  return lines.reverse();
}

function clean(line: Buffer): string {
  const text = stripVTControlCharacters(line.toString("utf8", 0, MOST_BYTES)).replace(/[^\P{Cc}\t]/gu, "");
  // By code points: half a surrogate pair is not a character.
  return text.length > MOST_CHARS ? [...text].slice(0, MOST_CHARS).join("") : text;
}
