/** A log and its archives, compressed or not, as they lie in a directory. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

export interface LogOnDisk {
  /** Bytes of lines in all files, by their sizes: that of what is compressed stands at its end. */
  measure(): number;
  /** Bytes of lines, read in full once nothing is being compressed any more, and nothing has changed for so many ms. */
  readBack(quiet: number): Promise<number>;
}

export function openLogOnDisk(dir: string, name: string): LogOnDisk {
  const emptied = new Set<string>();
  let lastSize = 0;

  function measure(): number {
    const files = listFiles();
    const size = measureFile(`${name}.log`);
    if (size < lastSize) for (const file of files) emptied.add(file);
    lastSize = size;
    return files.filter(counts).reduce((sum, file) => sum + measureFile(file), 0);
  }

  /** pm2-logrotate compresses under the archive's final name, while all of it is in the log until that is emptied. */
  function counts(file: string): boolean {
    return !file.includes("__") || emptied.has(file);
  }

  function measureFile(file: string): number {
    try {
      const path = join(dir, file);
      return file.endsWith(".gz") ? readUncompressedSize(path) : statSync(path).size;
    } catch {
      // Renamed or compressed meanwhile: the next look finds it.
      return 0;
    }
  }

  /** An archive counts once: as the plain one, for as long as it stands beside the compressed one. */
  function listFiles(): string[] {
    const files = new Set(
      readdirSync(dir).filter((file) => file.startsWith(name) && !file.endsWith(".part")),
    );
    return [...files].filter((file) => !files.has(file.replace(/\.gz$/, "")) || !file.endsWith(".gz"));
  }

  async function readBack(quiet: number): Promise<number> {
    const patience = performance.now() + 30_000;
    let [last, since] = ["", performance.now()];
    while (performance.now() < patience) {
      const files = listFiles();
      const now = JSON.stringify(files.map((file) => [file, measureFile(file)]));
      if (now !== last) [last, since] = [now, performance.now()];
      const isPlain = files.some((file) => file.startsWith(`${name}-`) && !file.endsWith(".gz"));
      if (!isPlain && performance.now() - since >= quiet) break;
      await delay(50);
    }
    return listFiles().reduce((sum, file) => {
      const data = readFileSync(join(dir, file));
      return sum + (file.endsWith(".gz") ? gunzipSync(data).length : data.length);
    }, 0);
  }

  return { measure, readBack };
}

/** The last four bytes of a gzip file. */
function readUncompressedSize(path: string): number {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4);
    readSync(file, bytes, 0, 4, statSync(path).size - 4);
    return bytes.readUInt32LE(0);
  } finally {
    closeSync(file);
  }
}
