/** What the workers print. Owns their pipes, and the last lines that each wrote to its stderr. */
import { closeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import type { Handle } from "../../protocol/contract.js";
import type { LineFormat, Output, WorkerRef } from "../../protocol/types.js";
import { createFormatter } from "./format.js";
import { createFunnel, type Pipe } from "./funnel.js";
import type { Log } from "./log.js";
import { findOwnFifo, openFifo } from "./pipe.js";
import { keepTail, type Tail } from "./tail.js";
import { describeCause, isMissing } from "./trouble.js";

export interface Outputs {
  /**
   * Reads a worker's pipe: the FIFO that `output` names, or else the one that came as a handle. Resolves when it was
   * read to its end and all of that is in the file. One that is being read already may be told of again.
   */
  attach(output: Output, handle: Handle | undefined): Promise<void>;
  /** Reads what a worker prints that has no master any more to tell of its FIFOs, where nobody reads them yet. */
  adopt(worker: WorkerRef): void;
  /** Gives a worker's last lines of stderr, once that has ended or `patience` ms have passed: somebody else may hold it. */
  tail(workerId: number, patience: number): Promise<string[]>;
  /** Resolves when every pipe has ended, or `patience` ms have passed, and all that they held was given to the logs. */
  close(patience: number): Promise<void>;
}

interface LastWords {
  readonly pipe: Pipe;
  readonly tail: Tail;
}

/** So many workers that are gone are remembered. */
const MOST_GONE = 64;

const RETRY_MS = 1000;

/** `say` gets what is wrong with the pipes, in words for naught's own log. */
export function createOutputs(
  logs: { readonly stdout: Log; readonly stderr: Log },
  say: (line: string) => void = () => {},
  format: LineFormat = {},
): Outputs {
  const stdout = createFunnel(logs.stdout);
  const stderr = createFunnel(logs.stderr);
  const living = new Map<number, LastWords>();
  const gone = new Map<number, LastWords>();
  /** The FIFOs that are being read. */
  const reading = new Map<string, Promise<void>>();
  const closing = new AbortController();
  const told = new Set<string>();

  function attach(output: Output, handle: Handle | undefined): Promise<void> {
    if (output.path !== undefined) return attachFifo(output);
    sayOnce(
      `the workers' output goes through sockets, which do not outlive naught: ${output.obstacle ?? "there is no FIFO"}`,
    );
    return handle ? read(output, handle) : Promise.resolve();
  }

  async function attachFifo(output: Output): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        const { fd, identity } = openFifo(output);
        const already = reading.get(identity);
        if (already) closeSync(fd);
        const ended = already ?? read(output, fd).finally(() => reading.delete(identity));
        reading.set(identity, ended);
        return await ended;
      } catch (error) {
        sayOnce(`cannot read what worker ${output.worker.slot} prints: ${describeCause(error)}`);
        // Somebody who has no descriptor left now may have some later; what is gone comes back never.
        if (isMissing(error)) return;
        await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  }

  function adopt(worker: WorkerRef): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const path = findOwnFifo(worker.pid, stream);
      if (path !== undefined) void attachFifo({ worker, stream, path });
    }
  }

  async function read({ worker, stream }: Output, from: number | Handle): Promise<void> {
    const formatter = createFormatter(format, { worker, stream });
    if (stream === "stdout") {
      await stdout.attach(from, undefined, formatter).ended;
      return logs.stdout.flush();
    }
    const tail = keepTail();
    const words = { pipe: stderr.attach(from, tail.push, formatter), tail };
    living.set(worker.id, words);
    await words.pipe.ended;
    bury(worker.id, words);
    await logs.stderr.flush();
  }

  function sayOnce(line: string): void {
    if (told.has(line)) return;
    told.add(line);
    say(line);
  }

  function bury(id: number, words: LastWords): void {
    // A new master counts its workers anew, so that the id may be another's by now.
    if (living.get(id) !== words) return;
    living.delete(id);
    gone.delete(id);
    gone.set(id, words);
    const [oldest] = gone.keys();
    if (gone.size > MOST_GONE && oldest !== undefined) gone.delete(oldest);
  }

  async function tail(workerId: number, patience: number): Promise<string[]> {
    const words = living.get(workerId) ?? gone.get(workerId);
    if (words === undefined) return [];
    await waitAtMost(patience, words.pipe.ended);
    return words.tail.read(words.pipe.rest);
  }

  async function close(patience: number): Promise<void> {
    closing.abort();
    await waitAtMost(patience, Promise.all([stdout.whenEmpty(), stderr.whenEmpty()]));
    await Promise.all([stdout.cut(), stderr.cut()]);
  }

  return { attach, adopt, tail, close };
}

async function waitAtMost(patience: number, event: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([event, delay(patience, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}
