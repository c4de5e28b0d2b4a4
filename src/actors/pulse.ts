/** The pulse between two processes that look after each other: each says at every tick that it is there. */
import { clearInterval, setInterval } from "node:timers";
import { beginSilence, countTick, hearSign, judgeSilence, tick } from "./silence.js";

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
  let silence = beginSilence(heart.now());
  const timer = every(() => {
    silence = countTick(silence, heart.now());
    heart.beat();
    const how = judgeSilence(silence, heart.isStopped);
    if (how === null) return;
    silence = hearSign(silence);
    if (heart.silent(how)) clearInterval(timer);
  }, tick);
  timer.unref();
  return {
    heard() {
      silence = hearSign(silence);
    },
    stop: () => clearInterval(timer),
  };
}
