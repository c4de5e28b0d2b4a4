/**
 * Compresses files in a thread of its own, which gives way to everything else on the machine. Owns that thread, which
 * ends when there has been nothing to do for a while.
 */
import type { Worker } from "node:worker_threads";

export interface Compressor {
  /** Makes a compressed copy under another name, with the mode and the owner of the original. */
  compress(from: string, to: string, flush: boolean): Promise<void>;
  close(): Promise<void>;
}

interface Task {
  readonly from: string;
  readonly to: string;
  readonly flush: boolean;
}

interface Outcome {
  readonly message?: string;
  readonly code?: string;
}

const IDLE_MS = 5000;

/** One task at a time. */
export function createCompressor(): Compressor {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;

  async function compress(from: string, to: string, flush: boolean): Promise<void> {
    clearTimeout(idle);
    // Loaded when it is needed, which it is for few daemons.
    thread ??= startThread(await import("node:worker_threads"));
    const { message, code } = await ask(thread, { from, to, flush }).catch((error: unknown) => {
      thread = undefined;
      throw error;
    });
    idle = setTimeout(close, IDLE_MS).unref();
    if (message !== undefined) throw Object.assign(new Error(message), { code });
  }

  async function close(): Promise<void> {
    clearTimeout(idle);
    const ended = thread?.terminate();
    thread = undefined;
    await ended;
  }

  return { compress, close };
}

function ask(thread: Worker, task: Task): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => reject(new Error("the compressing thread ended"));
    const settle = (give: () => void): void => {
      thread.off("message", onMessage).off("error", onError).off("exit", onExit).unref();
      give();
    };
    const onMessage = (outcome: Outcome): void => settle(() => resolve(outcome));
    const onError = (error: Error): void => settle(() => reject(error));
    thread.on("message", onMessage).on("error", onError).on("exit", onExit).ref();
    thread.postMessage(task);
  });
}

/** As text, because in the bundle it has no file of its own. */
function startThread({ Worker }: typeof import("node:worker_threads")): Worker {
  const thread = new Worker(`(${runThread.toString()})(require)`, {
    eval: true,
    execArgv: [],
    // It handles a megabyte at a time.
    resourceLimits: { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 32 },
  });
  thread.on("error", () => {});
  return thread;
}

/** Must not use anything from outside of it. Blocks its thread, and only that. */
function runThread(require: NodeJS.Require): void {
  const fs = require("node:fs") as typeof import("node:fs");
  const os = require("node:os") as typeof import("node:os");
  const zlib = require("node:zlib") as typeof import("node:zlib");
  const { parentPort } = require("node:worker_threads") as typeof import("node:worker_threads");
  try {
    // On Linux, where priorities belong to threads. Elsewhere it would be that of the whole process.
    if (process.platform === "linux") os.setPriority(0, 10);
  } catch {
    // Then it runs like all others.
  }
  // A member for each: files of any size, in memory of one.
  const block = Buffer.allocUnsafeSlow(1024 * 1024);
  const writeAll = (fd: number, bytes: Uint8Array): void => {
    for (let at = 0; at < bytes.length; ) at += fs.writeSync(fd, bytes, at);
  };
  const copy = ({ from, to, flush }: Task): void => {
    const source = fs.openSync(from, "r");
    try {
      const { mode, uid, gid } = fs.fstatSync(source);
      const target = fs.openSync(to, "w", 0o600);
      try {
        try {
          fs.fchownSync(target, uid, gid);
        } catch {
          // Only root may give files away.
        }
        fs.fchmodSync(target, mode & 0o777);
        let count = fs.readSync(source, block);
        if (count === 0) writeAll(target, zlib.gzipSync(""));
        for (; count > 0; count = fs.readSync(source, block)) {
          writeAll(target, zlib.gzipSync(block.subarray(0, count)));
        }
        if (flush) fs.fsyncSync(target);
      } finally {
        fs.closeSync(target);
      }
    } finally {
      fs.closeSync(source);
    }
  };
  parentPort?.on("message", (task: Task) => {
    try {
      copy(task);
      parentPort.postMessage({});
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException;
      parentPort.postMessage({ message, code });
    }
  });
}
