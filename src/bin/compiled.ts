/**
 * A program's code, with what V8 made of it at an earlier start: reading that is several times faster than compiling.
 * Owns the folder `cache` beside the programs. Where it cannot be written everything works, only slower.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";

export interface Program {
  /** Those of the file that is being run, which the code takes for its own. */
  readonly module: NodeJS.Module;
  readonly require: NodeJS.Require;
  readonly name: string;
  /** What is used of the code. V8 keeps only what has run, so each use has a cache of its own. */
  readonly use: string;
  /** When all that matters has run: at the exit, or so many milliseconds after the start; undefined for never. */
  readonly keep: "atExit" | number | undefined;
}

export function run({ module, require, name, use, keep }: Program): void {
  const file = join(import.meta.dirname, "code", `${name}.cjs`);
  const cache = join(import.meta.dirname, "cache", `${name}-${use}-${build}-${nameNode()}`);
  const cachedData = readCache(cache);
  // As UTF-8 because Node then reads without a buffer, which would stay until the garbage is collected.
  const script = new Script(readFileSync(file, "utf8"), {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  if (!cachedData || script.cachedDataRejected) keepWhenDue(script, cache, keep);
  const body = script.runInThisContext() as (...args: readonly unknown[]) => void;
  body.call(module.exports, module.exports, require, module, module.filename, import.meta.dirname);
}

/** Put in by the bundler. Tells this code from any other of the same length: V8 itself compares no more than that. */
const build = process.env.NAUGHT_BUILD;

// A cache made under other flags would be rejected. Not for secrecy: a few bits that differ are enough.
function nameNode(): string {
  const flags = `${process.execArgv.join(" ")} ${process.env.NODE_OPTIONS ?? ""}`;
  let hash = 0x811c9dc5;
  for (let index = 0; index < flags.length; index += 1) {
    hash = Math.imul(hash ^ flags.charCodeAt(index), 0x01000193);
  }
  return `${process.version}-${process.arch}-${(hash >>> 0).toString(36)}`;
}

function readCache(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

function keepWhenDue(script: Script, path: string, keep: Program["keep"]): void {
  if (keep === "atExit") process.once("exit", () => writeCache(script, path));
  else if (keep !== undefined) setTimeout(writeCache, keep, script, path).unref();
}

/** So many uses, versions of Node and sets of flags are remembered; more would only be litter. */
const most = 64;

function writeCache(script: Script, path: string): void {
  const folder = join(path, "..");
  const unfinished = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true });
    if (readdirSync(folder).length >= most) return;
    // V8 does not notice a cache with a hole in it, such as a power cut could leave under the final name.
    writeFileSync(unfinished, script.createCachedData(), { flag: "wx", mode: 0o644, flush: true });
    renameSync(unfinished, path);
  } catch {
    removeQuietly(unfinished);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A package that nobody may write to.
  }
}
