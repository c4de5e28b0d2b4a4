/**
 * The pulse between two processes that look after each other: each says at every tick that it is there, and counts its own
 * ticks since it last heard so. Never the time of day: after a machine has slept, or a whole tree was stopped, nobody has
 * missed anything.
 */
import { clearInterval, setInterval } from "node:timers";

/** Milliseconds between two ticks. */
export const tick = 250;
/** Ticks of silence after which a process that the system has stopped is given up, and any other one. */
const patience = { stopped: 8, busy: 60 };
/** Milliseconds between two ticks after which it was this process that had been held up. */
const gap = 4 * tick;

export interface Heart {
  /** Says that this process is there. */
  beat(): void;
  /** Whether the system has stopped the other one: SIGSTOP, say. It may also just be starved. */
  isStopped(): boolean;
  /** Called with how it looks, as in "has been stopped". False: it is to be waited for once more. */
  silent(how: string): boolean;
  /** Milliseconds of a monotonic clock. */
  now(): number;
}

export interface Pulse {
  /** The other one is there. */
  heard(): void;
  stop(): void;
}

export function startPulse(heart: Heart, every: typeof setInterval = setInterval): Pulse {
  // Whoever is being born has something better to do.
  let missed = -patience.stopped;
  let last = heart.now();
  const timer = every(() => {
    const now = heart.now();
    const wasHeldUp = now - last > gap;
    last = now;
    heart.beat();
    missed = wasHeldUp ? 0 : missed + 1;
    if (missed < patience.stopped) return;
    if (heart.isStopped()) giveUp("has been stopped");
    else if (missed >= patience.busy) giveUp(`has not been heard of for ${(missed * tick) / 1000} s`);
  }, tick);
  timer.unref();

  function giveUp(how: string): void {
    missed = 0;
    if (heart.silent(how)) clearInterval(timer);
  }

  return {
    heard() {
      missed = Math.min(missed, 0);
    },
    stop: () => clearInterval(timer),
  };
}
