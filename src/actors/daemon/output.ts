/** What the workers print. Owns their pipes, and the last lines that each wrote to its stderr. */
import { setTimeout as delay } from "node:timers/promises";
import type { Handle } from "../../protocol/contract.js";
import type { Output } from "../../protocol/types.js";
import { createFunnel, type Pipe } from "./funnel.js";
import type { Log } from "./log.js";
import { keepTail, type Tail } from "./tail.js";

export interface Outputs {
  /** Takes over the reading end of a new worker's pipe. */
  attach(output: Output, handle: Handle): void;
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

export function createOutputs(logs: { readonly stdout: Log; readonly stderr: Log }): Outputs {
  const stdout = createFunnel(logs.stdout);
  const stderr = createFunnel(logs.stderr);
  const living = new Map<number, LastWords>();
  const gone = new Map<number, LastWords>();

  function attach({ worker, stream }: Output, handle: Handle): void {
    if (stream === "stdout") {
      stdout.attach(handle, () => {});
      return;
    }
    const tail = keepTail();
    const words = { pipe: stderr.attach(handle, tail.push), tail };
    living.set(worker.id, words);
    words.pipe.ended.then(() => bury(worker.id, words));
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
    await waitAtMost(patience, Promise.all([stdout.whenEmpty(), stderr.whenEmpty()]));
    await Promise.all([stdout.cut(), stderr.cut()]);
  }

  return { attach, tail, close };
}

async function waitAtMost(patience: number, event: Promise<unknown>): Promise<void> {
  const timer = new AbortController();
  await Promise.race([event, delay(patience, undefined, { signal: timer.signal }).catch(() => {})]);
  timer.abort();
}
