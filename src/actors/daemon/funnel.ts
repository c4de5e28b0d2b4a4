/**
 * Many pipes into one log, line by line. Owns the reading ends of the pipes, and who of them may flow: none while the
 * log is behind, so that the kernel slows the worker instead of our memory growing, and only one while a line that is
 * too long to be held is on its way.
 */
import type { Socket } from "node:net";
import { type Lines, splitLines } from "./lines.js";
import type { Log } from "./log.js";

export interface Pipe {
  /** What has come of a line that is not whole yet. */
  readonly rest: Buffer;
  /** Resolves when all that the pipe held was given to the log. */
  readonly ended: Promise<void>;
}

export interface Funnel {
  /** Reads the pipe until its end; `onBytes` sees what goes to the log. */
  attach(socket: Socket, onBytes: (bytes: Buffer) => void): Pipe;
  /** Resolves when every pipe has ended. */
  whenEmpty(): Promise<void>;
  /** Gives the log what is left in the pipes that are still open, and closes them. */
  cut(): Promise<void>;
}

/** An endless line must not silence the other workers: after this time it is broken. */
const LONGEST_HOLD_MS = 2000;

interface Source {
  readonly socket: Socket;
  readonly lines: Lines;
  readonly onBytes: (bytes: Buffer) => void;
  readonly ended: Promise<void>;
}

export function createFunnel(log: Log): Funnel {
  const sources = new Set<Source>();
  let holder: Source | undefined;
  let holding: NodeJS.Timeout | undefined;
  log.onDrain(regulate);

  function attach(socket: Socket, onBytes: (bytes: Buffer) => void): Pipe {
    const lines = splitLines();
    const ended = new Promise<void>((resolve) => {
      socket.on("close", () => {
        remove(source);
        resolve();
      });
    });
    const source: Source = { socket, lines, onBytes, ended };
    sources.add(source);
    socket.on("data", (chunk: Buffer) => pass(source, lines.push(chunk)));
    // What matters is that the pipe is over, which `close` says.
    socket.on("error", () => {});
    regulate();
    return {
      ended,
      get rest() {
        return lines.rest;
      },
    };
  }

  function pass(source: Source, bytes: Buffer | undefined): void {
    if (bytes === undefined) return;
    if (holder !== undefined && holder !== source) breakLine(holder);
    log.write(bytes);
    source.onBytes(bytes);
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

  function regulate(): void {
    for (const source of sources) {
      if (log.writable && (holder === undefined || holder === source)) source.socket.resume();
      else source.socket.pause();
    }
  }

  async function whenEmpty(): Promise<void> {
    await Promise.all([...sources].map((source) => source.ended));
  }

  async function cut(): Promise<void> {
    for (const { socket } of sources) {
      // A paused socket may have read something already; reading it makes it data.
      while (socket.read() !== null);
      socket.destroy();
    }
    await whenEmpty();
  }

  return { attach, whenEmpty, cut };
}
