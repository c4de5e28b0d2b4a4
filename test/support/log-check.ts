/** Reads a log of any size, archives included, and checks every numbered line in it. */
import { createReadStream } from "node:fs";
import { basename, dirname, join } from "node:path";
import { createGunzip } from "node:zlib";
import { listArchives, numberedLine } from "./log-files.js";

/** What follows the number depends on it in this period. */
const period = 90;

/**
 * Gives the bytes of the log, and how many lines of each writer are in it: whole, and numbered from 0 on without a gap.
 * Throws at the first line that is not.
 */
export async function checkLog(file: string): Promise<{ bytes: number; counts: Map<string, number> }> {
  const endings = Array.from({ length: period }, (_, number) => makeEnding(number));
  const counts = new Map<string, number>();
  let bytes = 0;
  for (const name of [...(await listArchives(file)), basename(file)]) {
    const source = createReadStream(join(dirname(file), name));
    const text = name.endsWith(".gz") ? source.pipe(createGunzip()) : source;
    let rest = "";
    for await (const chunk of text) {
      bytes += chunk.length;
      // Bytes as characters: a chunk may end in the middle of one.
      const lines = (rest + chunk.toString("latin1")).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) check(line, name);
    }
    if (rest !== "") throw new Error(`${name} ends in the middle of a line: ${rest.slice(0, 200)}`);
  }
  return { bytes, counts };

  function check(line: string, name: string): void {
    const space = line.indexOf(" ");
    const writer = line.slice(0, space);
    const number = counts.get(writer) ?? 0;
    if (line.slice(space + 1) !== `${number}${endings[number % period]}`)
      throw new Error(`${name}: ${line.slice(0, 200)} in the place of line ${number} of ${writer}`);
    counts.set(writer, number + 1);
  }
}

function makeEnding(number: number): string {
  const line = Buffer.from(numberedLine("", number)).toString("latin1");
  return line.slice(` ${number}`.length, -1);
}
