/** A log and its archives, compressed or not, as they lie in a directory. */
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

/** Bytes of lines in all files, by their sizes: that of what is compressed stands at its end. */
export function measureDisk(dir: string, name: string): number {
  return listFiles(dir, name).reduce((sum, file) => {
    try {
      const path = join(dir, file);
      return sum + (file.endsWith(".gz") ? readUncompressedSize(path) : statSync(path).size);
    } catch {
      // Renamed or compressed meanwhile: the next look finds it.
      return sum;
    }
  }, 0);
}

/** Bytes of lines, read in full once nothing is being compressed any more. */
export async function readBack(dir: string, name: string): Promise<number> {
  const patience = performance.now() + 30_000;
  while (listFiles(dir, name).some((file) => isPlainArchive(file, name)) && performance.now() < patience) {
    await delay(50);
  }
  return listFiles(dir, name).reduce((sum, file) => {
    const data = readFileSync(join(dir, file));
    return sum + (file.endsWith(".gz") ? gunzipSync(data).length : data.length);
  }, 0);
}

/** An archive counts once: as the plain one, for as long as it stands beside the compressed one. */
function listFiles(dir: string, name: string): string[] {
  const files = new Set(readdirSync(dir).filter((file) => file.startsWith(name) && !file.endsWith(".part")));
  return [...files].filter((file) => !files.has(file.replace(/\.gz$/, "")) || !file.endsWith(".gz"));
}

function isPlainArchive(file: string, name: string): boolean {
  return file.startsWith(`${name}-`) && !file.endsWith(".gz");
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
