/**
 * The queue in front of a log file. Owns what is not written yet and the policy for when the file is slow, or fails:
 * hold the sources back, try again, and give lines up only after a while, because the service matters more than its logs.
 */
import { setTimeout as delay } from "node:timers/promises";
import { now } from "../../clock.js";
import type { Retention } from "./archives.js";
import { createBacklog } from "./backlog.js";
import { createHaste } from "./haste.js";
import type { Log } from "./log.js";
import { openLogFile } from "./log-file.js";
import { createTrouble, describeCause } from "./trouble.js";

export interface OpenLog extends Retention {
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
const LOOK_MS = 700;

export async function openFileLog({ path, maxSize, onError, ...retention }: OpenLog): Promise<Log> {
  const trouble = createTrouble(path, onError);
  const file = await openLogFile(path, maxSize, retention, trouble, giveUp).catch((error: unknown) => {
    throw new Error(`cannot open ${path}: ${describeCause(error)}`);
  });

  const haste = await createHaste(path);
  const drained: (() => void)[] = [];
  const flushing: { readonly at: number; readonly resolve: () => void }[] = [];
  const closing = new AbortController();
  const backlog = createBacklog();
  let accepted = 0;
  let lost = 0;
  let lostInAll = 0;
  let behind = false;
  /** Who waits for the file to be opened anew. */
  const reopening: (() => void)[] = [];
  let failingSince: number | undefined;
  let pumping: Promise<void> | undefined = pump();
  let closed: Promise<void> | undefined;
  let looking: NodeJS.Timeout | undefined = setTimeout(look, LOOK_MS).unref();

  function write(chunk: Buffer): void {
    if (chunk.length === 0 || closed !== undefined) return;
    if (isGivenUp()) return lose(chunk.length);
    accepted += chunk.length;
    const written = pumping === undefined ? writeNow(chunk) : 0;
    if (written < chunk.length) {
      backlog.add(chunk.subarray(written));
      if (backlog.length >= HIGH_WATER) behind = true;
      pumping ??= pump();
    } else if (file.isDue) rotate();
  }

  /** A hand-over to another thread, and back, takes longer than the work, and most where the processors are busy. */
  function rotate(): void {
    if (pumping === undefined && haste.isSafe()) haste.measure(() => file.rotateNow());
    if (file.isDue) pumping ??= pump();
  }

  /** In the turn in which the bytes were read: a daemon that is killed later has lost nothing. */
  function writeNow(chunk: Buffer): number {
    if (!haste.isSafe()) return 0;
    try {
      return haste.measure(() => file.appendNow(chunk));
    } catch {
      // It will fail again, and be told, where it can be tried again.
      return 0;
    }
  }

  async function pump(): Promise<void> {
    await prepare();
    for (let batch = backlog.take(file.room); batch; batch = backlog.take(file.room)) {
      await append(batch);
      if (behind && backlog.length < HIGH_WATER / 2) catchUp();
      await prepare();
    }
    // Asked for in the moment in which the last of it was done.
    pumping = reopening.length > 0 ? pump() : undefined;
  }

  async function prepare(): Promise<void> {
    if (reopening.length > 0) await renew();
    await file.rotateIfDue();
  }

  async function renew(): Promise<void> {
    const waiting = reopening.splice(0);
    await file.reopen();
    for (const resolve of waiting) resolve();
  }

  async function append(batch: Buffer): Promise<void> {
    let rest = batch;
    while (rest.length > 0) {
      try {
        // A disk that fills up takes a part of a line first; going on behind that part keeps the line whole.
        const written = await haste.measureLater(() => file.append(rest));
        rest = rest.subarray(written);
        backlog.release(written);
        settle();
        recover();
      } catch (error) {
        trouble.report("write", error);
        failingSince ??= now();
        if (closing.signal.aborted) {
          lose(rest.length);
          backlog.release(rest.length);
          return settle();
        }
        await delay(RETRY_MS, undefined, { signal: closing.signal }).catch(() => {});
        if (isGivenUp()) dropQueue();
        await renew();
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
    lose(backlog.clear());
    settle();
    if (behind) catchUp();
  }

  function lose(bytes: number): void {
    lost += bytes;
    lostInAll += bytes;
  }

  function giveUp(bytes: number): void {
    lose(bytes);
    tellLoss();
  }

  function settle(): void {
    const done = accepted - backlog.length;
    while (flushing[0] && flushing[0].at <= done) flushing.shift()?.resolve();
  }

  function catchUp(): void {
    behind = false;
    for (const listener of drained) listener();
  }

  function tellLoss(): void {
    if (lost > 0) onError(new Error(`${path} lost ${lost} bytes that could not be written`));
    lost = 0;
  }

  /** Somebody who moves a log away, or removes it, wants a new one. */
  async function look(): Promise<void> {
    const inPlace = await file.isInPlace();
    if (!inPlace && looking !== undefined) {
      await reopen();
      if (await file.isInPlace()) onError(new Error(`${path} was moved or removed; a new one is begun`));
    }
    if (looking !== undefined) looking = setTimeout(look, LOOK_MS).unref();
  }

  /** Does not wait for the end of a queue that may never be empty. */
  function reopen(): Promise<void> {
    const reopened = new Promise<void>((resolve) => void reopening.push(resolve));
    pumping ??= pump();
    return reopened;
  }

  async function close(): Promise<void> {
    clearTimeout(looking);
    looking = undefined;
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
    flush: () =>
      new Promise((resolve) => {
        flushing.push({ at: accepted, resolve });
        settle();
      }),
    reopen,
    report: () => {
      const said = trouble.current();
      return { path, lost: lostInAll, ...(said === undefined ? {} : { trouble: said }) };
    },
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
