/**
 * What the app has written to stdout and stderr when its process ends. Node writes to a pipe asynchronously: what the
 * pipe had no room for yet would end with the process, and that is the last words. Owns the streams of the app that it
 * has seen opened; one that the app never touches is not opened.
 */

import { writeSync } from "node:fs";
import type { Socket } from "node:net";
import { now } from "../../clock.js";

/** Milliseconds without a byte taken after which nobody is reading. */
const PATIENCE_MS = 2000;
const PAUSE_MS = 1;

type Chunk = string | Uint8Array;
type Done = (error?: Error | null) => void;

/** A chunk as Node's streams hold it. */
interface Written {
  readonly chunk: Chunk;
  readonly encoding: BufferEncoding;
}

/** What Node's sockets are made of, as far as we look into it. */
interface Inside {
  readonly _handle?: { readonly writeQueueSize?: number; setBlocking?(blocking: boolean): number } | null;
  readonly _writableState?: { getBuffer?(): readonly Written[] };
  _write(chunk: Chunk, encoding: BufferEncoding, done: Done): void;
  _writev?(chunks: Written[], done: Done): void;
}

interface Followed {
  /** Writes what is left; returns false when nobody reads. */
  flush(): boolean;
}

/** To be called before any of the app's code. */
export function keepLastWords(): void {
  const followed = [follow("stdout", 1), follow("stderr", 2)];
  const flush = (): void => {
    for (const stream of followed) stream.flush();
  };
  // After the app's own listeners, which may print; an uncaught exception and a natural end pass here only.
  const { emit } = process;
  process.emit = function (this: NodeJS.Process, name: string, ...args: unknown[]): boolean {
    if (name !== "exit") return Reflect.apply(emit, this, [name, ...args]);
    try {
      return Reflect.apply(emit, this, [name, ...args]);
    } finally {
      flush();
    }
  } as typeof process.emit;
  // Where a listener of `exit` calls process.exit itself.
  const owner = process as unknown as { reallyExit?: (code: number) => never };
  const { reallyExit } = owner;
  if (typeof reallyExit !== "function") return;
  owner.reallyExit = (code) => {
    flush();
    return reallyExit.call(process, code);
  };
}

/** The streams are made when the app looks at them for the first time. */
function follow(name: "stdout" | "stderr", fd: 1 | 2): Followed {
  const property = Object.getOwnPropertyDescriptor(process, name);
  const get = property?.get;
  let stream: (Socket & Inside) | undefined;
  let followed: Followed | undefined;
  if (get && property.configurable) {
    Object.defineProperty(process, name, {
      ...property,
      get() {
        // Looked at for every line that is printed.
        if (stream === undefined) {
          stream = get.call(process) as Socket & Inside;
          followed = watch(stream, fd);
        }
        return stream;
      },
    });
  }
  return { flush: () => followed?.flush() ?? true };
}

function watch(stream: Socket & Inside, fd: 1 | 2): Followed {
  // Only a pipe is written to asynchronously.
  if (typeof stream._handle?.writeQueueSize !== "number") return { flush: () => true };
  /** What was handed to the system last, which may have taken a part of it: one chunk, or several. */
  let last: Chunk | undefined;
  let encoding: BufferEncoding = "utf8";
  let several: readonly Written[] | undefined;
  let flushed = 0;
  let flushedHanded = false;
  const { _write: write, _writev: writev } = stream;
  const untilDone = followEnd(() => {
    last = undefined;
    several = undefined;
  });
  stream._write = function (chunk, itsEncoding, done) {
    last = chunk;
    encoding = itsEncoding;
    return write.call(this, chunk, itsEncoding, untilDone(done));
  };
  if (writev) {
    stream._writev = function (chunks, done) {
      several = chunks;
      return writev.call(this, chunks, untilDone(done));
    };
  }

  function flush(): boolean {
    if (!stream._handle || stream.destroyed) return true;
    const waiting = stream._writableState?.getBuffer?.() ?? [];
    const rest = [...(flushedHanded ? [] : takeRest()), ...waiting.slice(flushed).map(toBytes)];
    flushedHanded = true;
    flushed = waiting.length;
    const taken = rest.length === 0 || writeAll(fd, Buffer.concat(rest));
    // Node itself prints an uncaught exception after this, and would lose it to a pipe that is full.
    if (taken && fd === 2) stream._handle.setBlocking?.(true);
    return taken;
  }

  function takeRest(): Uint8Array[] {
    const size = stream._handle?.writeQueueSize ?? 0;
    const handed = several ?? (last === undefined ? [] : [{ chunk: last, encoding }]);
    if (size === 0 || handed.length === 0) return [];
    const bytes = Buffer.concat(handed.map(toBytes));
    return [bytes.subarray(Math.max(0, bytes.length - size))];
  }

  return { flush };
}

/** Calls `end` before what Node wants to be called: a stream gives the same function each time, and a line costs no new one. */
function followEnd(end: () => void): (done: Done) => Done {
  let known: Done | undefined;
  let followed: Done;
  return (done) => {
    if (done === known) return followed;
    known = done;
    followed = (error) => {
      end();
      done(error);
    };
    return followed;
  };
}

function toBytes(written: Written | Uint8Array): Uint8Array {
  if (written instanceof Uint8Array) return written;
  const { chunk, encoding } = written;
  return typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk;
}

/** Returns false when nobody reads. */
function writeAll(fd: number, bytes: Uint8Array): boolean {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  let at = 0;
  let lastTaken = now();
  while (at < bytes.length) {
    try {
      at += writeSync(fd, bytes, at);
      lastTaken = now();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") return false;
      if (now() - lastTaken > PATIENCE_MS) return false;
      Atomics.wait(clock, 0, 0, PAUSE_MS);
    }
  }
  return true;
}
