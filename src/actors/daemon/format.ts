/** How the workers' lines look in a log: as they are, behind a prefix, or as JSON, one object for each. */
import { isUtf8 } from "node:buffer";
import type { LineFormat, LineWriter, NaughtEvent } from "../../protocol/types.js";

/**
 * Takes whole lines, or a piece of one, and gives what is to be written. Undefined: as it is.
 */
export type Formatter = (bytes: Buffer) => Buffer;

const NEWLINE = 10;
const EMPTY = Buffer.alloc(0);

export function createFormatter(
  { prefix = "none", format = "text" }: LineFormat,
  writer: LineWriter,
): Formatter | undefined {
  if (format === "json") return formatJson(writer);
  if (prefix === "none") return undefined;
  const name = `[${writer.worker.slot} ${writer.worker.pid}] `;
  const parts = prefix.split(",");
  return formatText(() =>
    [parts.includes("time") ? `${timestamp()} ` : "", parts.includes("worker") ? name : ""].join(""),
  );
}

function timestamp(): string {
  return new Date().toISOString();
}

/** One prefix for all lines that come at once. */
function formatText(makePrefix: () => string): Formatter {
  let isMidLine = false;
  return (bytes) => {
    const prefix = Buffer.from(makePrefix(), "latin1");
    const parts: Buffer[] = [];
    for (const line of cut(bytes)) {
      if (!isMidLine) parts.push(prefix);
      parts.push(line);
      isMidLine = line.at(-1) !== NEWLINE;
    }
    return Buffer.concat(parts);
  };
}

function formatJson({ worker: { slot, pid, generation }, stream }: LineWriter): Formatter {
  const about = JSON.stringify({ worker: slot, slot, pid, generation, stream }).slice(1, -1);
  let isMidLine = false;
  return (bytes) => {
    const time = `{"time":"${timestamp()}",${about},`;
    const records: string[] = [];
    for (const line of cut(bytes)) {
      const isWhole = line.at(-1) === NEWLINE;
      const content = isWhole ? line.subarray(0, -1) : line;
      // The end of a line that was too long to be held, and of which nothing is left.
      const isOver = isMidLine && content.length === 0;
      if (!isOver) records.push(`${time}${describe(content)}${isWhole ? "" : ',"partial":true'}}\n`);
      isMidLine = !isWhole;
    }
    return records.length === 0 ? EMPTY : Buffer.from(records.join(""));
  };
}

/** JSON is text; what is none must not be lost. */
function describe(line: Buffer): string {
  return isUtf8(line) ? `"line":${JSON.stringify(line.toString())}` : `"base64":"${line.toString("base64")}"`;
}

function* cut(bytes: Buffer): Generator<Buffer> {
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found < 0 ? bytes.length : found + 1;
    yield bytes.subarray(start, end);
    start = end;
  }
}

/** A line of naught's own log as JSON, whatever it says. */
export function formatOwnLine(line: string): string {
  return JSON.stringify({ time: timestamp(), message: line });
}

/** The same for an event: all that a client is told of it. */
export function formatOwnEvent({ time, name, counts, worker, detail, death }: NaughtEvent): string {
  return JSON.stringify({
    time,
    event: name,
    counts,
    ...(worker && { worker: worker.slot, pid: worker.pid, generation: worker.generation }),
    ...(detail !== undefined && { reason: detail }),
    ...(death?.stderr && { stderr: death.stderr }),
  });
}
