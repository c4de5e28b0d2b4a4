/** Numbered lines, and what has become of them in a log and its archives. */
import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, parse } from "node:path";
import { gunzipSync } from "node:zlib";

/** Of differing lengths, and recognisable when they are torn. */
export function numberedLine(writer: string | number, number: number): string {
  return `${writer} ${number} ☃${"x".repeat((number * 7) % 90)};\n`;
}

/** All that was logged, in the order of the files' names, the log itself last. Throws on an archive that is not whole. */
export async function readLog(file: string): Promise<string> {
  return (await readLogBytes(file)).toString();
}

export async function readLogBytes(file: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const name of [...(await listArchives(file)), basename(file)]) {
    const bytes = await readFile(join(dirname(file), name));
    parts.push(name.endsWith(".gz") ? gunzipSync(bytes) : bytes);
  }
  return Buffer.concat(parts);
}

/** The names of the archives in order. */
export async function listArchives(file: string): Promise<string[]> {
  const { name, base } = parse(file);
  return (await readdir(dirname(file)))
    .filter((other) => other !== base && other.startsWith(`${name}-`))
    .sort();
}

/** Finds the lines of each writer in the order they stand there. Throws on a line that is torn. */
export function readNumbers(text: string): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const line of text.split("\n").slice(0, -1)) {
    const [writer = "", number = ""] = line.split(" ");
    if (`${line}\n` !== numberedLine(writer, Number(number)))
      throw new Error(`torn: ${JSON.stringify(line)}`);
    const own = numbers.get(writer);
    if (own === undefined) numbers.set(writer, [Number(number)]);
    else own.push(Number(number));
  }
  return numbers;
}
