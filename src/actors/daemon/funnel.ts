/**
 * Many pipes into one log, line by line. Owns the reading ends of the pipes, and who of them may flow: none while the
 * log is behind, so that the kernel slows the worker instead of our memory growing; each only so much in a turn, so that
 * none waits for a louder one; and only one while a line that is too long to be held is on its way.
 */
import { readSync } from "node:fs";
import type { Socket } from "node:net";
import type { Handle } from "../../protocol/contract.js";
import type { Formatter } from "./format.js";
import { type Lines, splitLines } from "./lines.js";
import type { Log } from "./log.js";
import { napSoon } from "./nap.js";
import { readFrom } from "./pipe.js";

export interface Pipe {
  /** What has come of a line that is not whole yet. */
  readonly rest: Buffer;
  /** Resolves when all that the pipe held was given to the log. */
  readonly ended: Promise<void>;
}

export interface Funnel {
  /** Reads the pipe until its end; `onBytes` sees what goes to the log before it is formatted. */
  attach(from: number | Handle, onBytes?: (bytes: Buffer) => void, format?: Formatter): Pipe;
  /** Resolves when every pipe has ended. */
  whenEmpty(): Promise<void>;
  /** Gives the log what is left in the pipes that are still open, and closes them. */
  cut(): Promise<void>;
}

/** An endless line must not silence the other workers: after this time it is broken. */
const LONGEST_HOLD_MS = 2000;
/** What a pipe holds on Linux, and all that is on its way between a pipe and its log. */
const READ_SIZE = 64 * 1024;
/** Whoever prints line by line is read more often than what it costs is worth. */
const SMALL_READ = 8 * 1024;
/** A pipe is full of less where its pages are not: each write begins a new one. */
const FULL_READ = 60 * 1024;
/** Reads after one that found the pipe full: whoever fills it in no time has to wait for whoever naps. */
const MOST_HASTY = 8;
/** For the beginning of a line of which the rest is read. */
const ROOM = 64 * 1024;
/** Bytes of one pipe in one turn of the event loop. */
const MOST_IN_TURN = 4 * READ_SIZE;
/** Bytes of one pipe when it is cut. */
const MOST_AT_LAST = 16 * READ_SIZE;

interface Source {
  readonly socket: Socket;
  readonly fd: number | undefined;
  readonly lines: Lines;
  readonly onBytes: ((bytes: Buffer) => void) | undefined;
  readonly format: Formatter | undefined;
  readonly ended: Promise<void>;
  /** Bytes in this turn. */
  served: number;
  /** Which read was its last. */
  last: number;
  /** So many further reads are not put off. */
  hasty: number;
}

export function createFunnel(log: Log): Funnel {
  const sources = new Set<Source>();
  // One for all: whoever keeps bytes copies them.
  const buffer = Buffer.allocUnsafeSlow(ROOM + READ_SIZE);
  const readable = buffer.subarray(ROOM);
  let reads = 0;
  let isTurnOpen = false;
  let holder: Source | undefined;
  let holding: NodeJS.Timeout | undefined;
  log.onDrain(regulate);

  function attach(from: number | Handle, onBytes?: (bytes: Buffer) => void, format?: Formatter): Pipe {
    const lines = splitLines();
    const socket = readFrom(from, { buffer: readable, callback: (length) => take(source, length) });
    const ended = new Promise<void>((resolve) => {
      socket.on("close", () => {
        remove(source);
        resolve();
      });
    });
    const fd = typeof from === "number" ? from : undefined;
    const source: Source = { socket, fd, lines, onBytes, format, ended, served: 0, last: 0, hasty: 0 };
    sources.add(source);
    // What matters is that the pipe is over, which `close` says.
    socket.on("error", () => {});
    if (!mayFlow(source)) socket.pause();
    return {
      ended,
      get rest() {
        return lines.rest;
      },
    };
  }

  /** Returns false to read no more for now. */
  function take(source: Source, length: number): boolean {
    if (sources.size > 1) note(source, length);
    if (length >= FULL_READ) source.hasty = MOST_HASTY;
    else if (source.hasty > 0) source.hasty -= 1;
    else if (length < SMALL_READ) napSoon();
    pass(source, source.lines.push(buffer.subarray(0, ROOM + length), ROOM));
    if (mayFlow(source)) return true;
    source.socket.pause();
    return false;
  }

  /** What nobody else waits for needs no account, which costs as much as a read does. */
  function note(source: Source, length: number): void {
    source.served += length;
    reads += 1;
    source.last = reads;
    if (!isTurnOpen) setImmediate(endTurn);
    isTurnOpen = true;
  }

  function pass(source: Source, bytes: Buffer | undefined): void {
    if (bytes === undefined) return;
    if (holder !== undefined && holder !== source) breakLine(holder);
    log.write(source.format ? source.format(bytes) : bytes);
    source.onBytes?.(bytes);
    const wasHeld = holder !== undefined;
    if (source.lines.midLine) hold(source);
    else letGo();
    if (!log.writable || wasHeld !== (holder !== undefined)) regulate();
  }

  function hold(source: Source): void {
    if (holder === source) return;
    holder = source;
    holding = setTimeout(breakLine, LONGEST_HOLD_MS, source).unref();
  }

  function letGo(): void {
    holder = undefined;
    clearTimeout(holding);
  }

  function breakLine(source: Source): void {
    pass(source, source.lines.end());
  }

  function remove(source: Source): void {
    sources.delete(source);
    breakLine(source);
  }

  function endTurn(): void {
    isTurnOpen = false;
    let anyWaits = false;
    for (const source of sources) {
      anyWaits ||= source.served >= MOST_IN_TURN;
      source.served = 0;
    }
    if (anyWaits) regulate();
  }

  /** In the order in which they are resumed they are read: whoever has waited longest comes first. */
  function regulate(): void {
    for (const source of [...sources].sort((one, other) => one.last - other.last)) {
      if (mayFlow(source)) source.socket.resume();
      else source.socket.pause();
    }
  }

  function mayFlow(source: Source): boolean {
    return log.writable && source.served < MOST_IN_TURN && (holder === undefined || holder === source);
  }

  async function whenEmpty(): Promise<void> {
    await Promise.all([...sources].map((source) => source.ended));
  }

  async function cut(): Promise<void> {
    for (const source of sources) {
      source.socket.pause();
      drain(source);
      source.socket.destroy();
    }
    await whenEmpty();
  }

  function drain(source: Source): void {
    if (source.fd === undefined || source.socket.destroyed) return;
    try {
      for (let total = 0, length = 1; length > 0 && total < MOST_AT_LAST; total += length) {
        length = readSync(source.fd, readable);
        pass(source, source.lines.push(buffer.subarray(0, ROOM + length), ROOM));
      }
    } catch {
      // EAGAIN: it is empty.
    }
  }

  return { attach, whenEmpty, cut };
}
