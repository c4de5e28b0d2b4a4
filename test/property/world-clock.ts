/** The simulated clock: what will happen, in order of time and then of arrival. */
import { hold } from "./world-promises.js";

export interface Due {
  readonly at: number;
  readonly run: () => void;
  cancelled: boolean;
}

export interface Clock {
  now: number;
  /** The next one last. */
  readonly queue: Due[];
  /** How many things have happened. */
  ticks: number;
  /** More than any history that ends needs. */
  readonly mostTicks: number;
}

export function createClock(mostTicks = 20_000): Clock {
  return { now: 0, queue: [], ticks: 0, mostTicks };
}

export function schedule(clock: Clock, delay: number, run: () => void): Due {
  const due = { at: clock.now + delay, run, cancelled: false };
  let index = clock.queue.length;
  while (index > 0 && (clock.queue[index - 1] as Due).at <= due.at) index -= 1;
  clock.queue.splice(index, 0, due);
  return due;
}

/** Lets time pass until `until`, or until `pause` says so. */
export function pass(clock: Clock, until: number, pause: () => boolean = () => false): void {
  while (!pause()) {
    const due = clock.queue.at(-1);
    if (!due || due.at > until) {
      clock.now = Math.max(clock.now, until);
      return;
    }
    clock.queue.pop();
    if (due.cancelled) continue;
    // A machine that slept does late what was due.
    clock.now = Math.max(clock.now, due.at);
    clock.ticks += 1;
    hold(clock.ticks <= clock.mostTicks, "settles", () => "the history does not end");
    due.run();
  }
}
