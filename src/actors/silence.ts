/**
 * How long another process has been silent, counted in one's own ticks: never in the time of day, and after a machine has
 * slept, or a whole tree was stopped, nobody has missed anything. Pure.
 */

/** Milliseconds between two ticks. */
export const tick = 250;
/** Ticks of silence after which a process that the system has stopped is given up, and any other one. */
const patience = { stopped: 8, busy: 60 };
/** Milliseconds between two ticks after which it was this process that had been held up. */
const gap = 4 * tick;

export interface Silence {
  /** Ticks since it was heard of; below 0 while it is being born, and has something better to do. */
  readonly missed: number;
  /** When the last tick was, in milliseconds of a monotonic clock. */
  readonly last: number;
}

export function beginSilence(now: number): Silence {
  return { missed: -patience.stopped, last: now };
}

export function countTick({ missed, last }: Silence, now: number): Silence {
  const wasHeldUp = now - last > gap;
  return { missed: wasHeldUp ? 0 : missed + 1, last: now };
}

/** It is there. */
export function hearSign(silence: Silence): Silence {
  return { ...silence, missed: Math.min(silence.missed, 0) };
}

/** In words, as in "has been stopped", when it is to be given up; null while it is to be waited for. */
export function judgeSilence({ missed }: Silence, isStopped: () => boolean): string | null {
  if (missed < patience.stopped) return null;
  if (isStopped()) return "has been stopped";
  return missed >= patience.busy ? `has not been heard of for ${(missed * tick) / 1000} s` : null;
}

/**
 * Returns a function to be called at every tick, true when a process is gone that nobody reports as gone. Not at the first
 * tick that finds it dead: what it has said last comes first.
 */
export function watchDeath(isAlive: () => boolean): () => boolean {
  let wasDead = false;
  return () => {
    const isDead = !isAlive();
    const isGone = isDead && wasDead;
    wasDead = isDead;
    return isGone;
  };
}
