/**
 * The queue in front of a log file. Owns what is not written yet and the policy for when the file fails: hold the
 * sources back, try again, and give lines up only after a while, because the service matters more than its logs.
 */

import { setTimeout as delay } from "node:timers/promises";
import { now } from "../../clock.js";
import type { Log } from "./log.js";
import { openLogFile } from "./log-file.js";
import { createTrouble, describeCause } from "./trouble.js";

export interface OpenLog {
  readonly path: string;
  /** The file is rotated when it is larger than so many bytes. */
  readonly maxSize: number;
  /** Is told each distinct trouble once, until it is over. */
  readonly onError: (error: Error) => void;
}

/** So many bytes may wait for the file before the sources are asked to pause. */
const HIGH_WATER = 1024 * 1024;
const RETRY_MS = 1000;
const PATIENCE_MS = 10_000;

export async function openFileLog({ path, maxSize, onError }: OpenLog): Promise<Log> {
  const trouble = createTrouble(path, onError);
  const file = await openLogFile(path, maxSize, trouble).catch((error: unknown) => {
    throw new Error(`cannot open ${path}: ${describeCause(error)}`);
  });

  const drained: (() => void)[] = [];
  const closing = new AbortController();
  const queue: Buffer[] = [];
  let waiting = 0;
  let lost = 0;
  let behind = false;
  let failingSince: number | undefined;
  let pumping: Promise<void> | undefined = pump();
  let closed: Promise<void> | undefined;

  function write(chunk: Buffer): void {
    if (chunk.length === 0 || closed !== undefined) return;
    if (isGivenUp()) {
      lost += chunk.length;
      return;
    }
    queue.push(chunk);
    waiting += chunk.length;
    if (waiting >= HIGH_WATER) behind = true;
    pumping ??= pump();
  }

  async function pump(): Promise<void> {
    await file.rotateIfDue();
    while (queue.length > 0) {
      const batch = takeBatch();
      await append(batch);
      waiting -= batch.length;
      if (behind && waiting < HIGH_WATER / 2) catchUp();
      await file.rotateIfDue();
    }
    pumping = undefined;
  }

  /** As many chunks as one write may carry: the one that makes the file too large is the last. */
  function takeBatch(): Buffer {
    let count = 0;
    let length = 0;
    for (const chunk of queue) {
      count += 1;
      length += chunk.length;
      if (length > file.room || length >= HIGH_WATER) break;
    }
    const batch = queue.splice(0, count);
    return batch.length === 1 && batch[0] !== undefined ? batch[0] : Buffer.concat(batch, length);
  }

  async function append(batch: Buffer): Promise<void> {
    let rest = batch;
    while (rest.length > 0) {
      try {
        // A disk that fills up takes a part of a line first; going on behind that part keeps the line whole.
        rest = rest.subarray(await file.append(rest));
        recover();
      } catch (error) {
        trouble.report("write", error);
        failingSince ??= now();
        if (closing.signal.aborted) {
          lost += rest.length;
          return;
        }
        await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
        if (isGivenUp()) dropQueue();
        await file.reopen();
      }
    }
  }

  function recover(): void {
    if (failingSince === undefined) return;
    failingSince = undefined;
    trouble.forget("write");
    tellLoss();
  }

  function isGivenUp(): boolean {
    return failingSince !== undefined && now() - failingSince > PATIENCE_MS;
  }

  function dropQueue(): void {
    for (const chunk of queue.splice(0)) {
      lost += chunk.length;
      waiting -= chunk.length;
    }
    if (behind) catchUp();
  }

  function catchUp(): void {
    behind = false;
    for (const listener of drained) listener();
  }

  function tellLoss(): void {
    if (lost > 0) onError(new Error(`${path} lost ${lost} bytes that could not be written`));
    lost = 0;
  }

  async function close(): Promise<void> {
    closing.abort();
    await pumping;
    tellLoss();
    await file.close();
  }

  return {
    write,
    get writable() {
      return !behind;
    },
    onDrain: (listener) => void drained.push(listener),
    flush: async () => void (await pumping),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
