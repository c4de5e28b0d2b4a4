/** The departure: the drain as it happens. Feeds facts to the behaviours, and owns their states and their timers. */
import { clearTimeout, setImmediate, setTimeout } from "node:timers";
import { type Connection, hasPartOfRequest } from "./connection.js";
import {
  type Doing,
  type DrainEffect,
  type DrainMessage,
  type Effect,
  type Fact,
  gathering,
  step,
  stepConnection,
} from "./drain.js";

export interface Departure {
  /**
   * Something became known about a connection. What was not waited for is let go in the same way afterwards, or an idle
   * connection of a server without a `keepAliveTimeout` would hold the process for ever.
   */
  tell(connection: Connection, fact: Fact): void;
  /** Every connection was told of. The time for responses in flight begins. */
  begin(timeout: number): void;
  /** Resolves when nothing has to be waited for any more. */
  readonly settled: Promise<void>;
}

interface Kept {
  doing: Doing;
  timer?: NodeJS.Timeout | undefined;
}

/** The timers hold the process, because that is what they are for; none outlives its connection. */
export function prepareDeparture(): Departure {
  let drain = gathering;
  let limit: NodeJS.Timeout | undefined;
  const kept = new WeakMap<Connection, Kept>();
  let settle: () => void;
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });

  function tell(connection: Connection, fact: Fact): void {
    const mine = kept.get(connection) ?? { doing: "new" };
    kept.set(connection, mine);
    const from = mine.doing;
    const next = stepConnection(from, fact);
    mine.doing = next.state;
    for (const effect of next.effects) perform(connection, mine, effect);
    advance({ is: "moved", from, to: next.state });
  }

  function perform(connection: Connection, mine: Kept, effect: Effect): void {
    switch (effect.do) {
      case "startTimer":
        mine.timer = setTimeout(expire, clamp(effect.ms), connection, mine);
        return;
      case "stopTimer":
        clearTimeout(mine.timer);
        mine.timer = undefined;
        return;
      case "close":
        connection.socket.destroy();
    }
  }

  /** If the process was held up, a request may wait in the kernel: it is read before the immediate runs. */
  function expire(connection: Connection, mine: Kept): void {
    const { timer } = mine;
    setImmediate(() => {
      if (mine.timer !== timer) return;
      tell(connection, hasPartOfRequest(connection) ? { is: "asked" } : { is: "expired" });
    });
  }

  function advance(message: DrainMessage): void {
    const next = step(drain, message);
    drain = next.state;
    for (const effect of next.effects) performForAll(effect);
  }

  function performForAll(effect: DrainEffect): void {
    switch (effect.do) {
      case "startTimer":
        limit = setTimeout(advance, clamp(effect.ms), { is: "timedOut" });
        return;
      case "stopTimer":
        clearTimeout(limit);
        return;
      case "settle":
        settle();
    }
  }

  return { tell, begin: (timeout) => advance({ is: "gathered", timeout }), settled };
}

/** Node turns a longer time into a millisecond. */
function clamp(ms: number): number {
  return Math.min(ms, 2 ** 31 - 1);
}
