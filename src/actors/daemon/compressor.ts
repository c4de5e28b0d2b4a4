/**
 * Compresses files, by the program gzip in a process that gives way to everything else on the machine: a thread for it
 * would keep five times as much memory. Small files, and all where there is no such program, are compressed by Node's own
 * threads, in pieces. Owns the process that is at work.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, open } from "node:fs/promises";
import { setPriority } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { now } from "../../clock.js";
import { hasCode } from "./trouble.js";

export interface Compressor {
  /** Makes a compressed copy under another name, with the mode and the owner of the original. One at a time. */
  compress(from: string, to: string, flush: boolean): Promise<void>;
  /** Gives up what is under way: that rejects. */
  abort(): void;
}

/** A process costs more than to compress so little. */
const PIECE = 256 * 1024;
const LOW_PRIORITY = 10;

export function createCompressor(program = "gzip"): Compressor {
  const ending = new AbortController();
  let hasProgram = true;

  async function compress(from: string, to: string, flush: boolean): Promise<void> {
    const source = await open(from);
    try {
      const { mode, uid, gid, size } = await source.stat();
      const target = await open(to, "w", 0o600);
      try {
        // Only root may give files away.
        await target.chown(uid, gid).catch(() => {});
        await target.chmod(mode & 0o777);
        if (size <= PIECE || !(await tryProgram(source, target))) await compressHere(source, target);
        if (flush) await target.sync();
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  }

  /** False when there is no such program. */
  async function tryProgram(source: FileHandle, target: FileHandle): Promise<boolean> {
    if (!hasProgram) return false;
    try {
      await runProgram(program, source, target, ending.signal);
    } catch (error) {
      if (!hasCode(error, "ENOENT")) throw error;
      hasProgram = false;
    }
    return hasProgram;
  }

  async function compressHere(source: FileHandle, target: FileHandle): Promise<void> {
    // Loaded when it is needed, which it is for few daemons.
    const gzip = promisify((await import("node:zlib")).gzip);
    const piece = Buffer.allocUnsafeSlow(PIECE);
    for (let at = 0; ; ) {
      const began = now();
      const { bytesRead } = await source.read(piece, 0, PIECE, at);
      if (bytesRead === 0 && at > 0) return;
      at += bytesRead;
      // A member for each piece: all of them together are one file.
      await target.writeFile(await gzip(piece.subarray(0, bytesRead)));
      if (bytesRead < PIECE) return;
      // These threads have no priority of their own.
      await delay(now() - began, undefined, { signal: ending.signal });
    }
  }

  return { compress, abort: () => ending.abort() };
}

function runProgram(
  program: string,
  source: FileHandle,
  target: FileHandle,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ["-c"], {
      // The daemon's directory may have been removed.
      cwd: "/",
      env: process.env.PATH === undefined ? {} : { PATH: process.env.PATH },
      stdio: [source.fd, target.fd, "pipe"],
      // A Ctrl-C in the terminal is not meant for it.
      detached: true,
      signal,
      killSignal: "SIGKILL",
    });
    giveWay(child);
    let words = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      words += text;
    });
    child.once("error", reject);
    child.once("close", (code, killer) => {
      if (code === 0) resolve();
      else reject(new Error(words.trim() || `${program} ended with ${code ?? killer}`));
    });
  });
}

function giveWay({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, LOW_PRIORITY);
  } catch {
    // It has ended already, or has to run like all others.
  }
}
