/** What a worker does that has lost its master and finds no daemon. Pure. */

/** Milliseconds between two tries to reach a daemon, give or take a quarter: many workers try at once. */
export const pause = 200;

/** Tries after which it gives the daemon up, and further ones until it tries to revive it again. */
const patience = 4;
const again = 25;
/** Milliseconds without any daemon after which it leaves by itself: nobody would ever end it. */
const grace = 600_000;

/** `tries` in vain since there was a daemon. */
export function decideAlone(tries: number): "wait" | "revive" | "leave" {
  if (tries * pause > grace) return "leave";
  return tries >= patience && (tries - patience) % again === 0 ? "revive" : "wait";
}

/** Whether it is the first time that it may revive the daemon: others may be better at it. */
export function isFirst(tries: number): boolean {
  return tries <= patience;
}
