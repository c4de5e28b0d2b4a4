/** What every actor with state is made of: a mailbox that runs one message to completion, and the calls it still owes an answer. */

/** `step` is pure; `perform` carries out one effect and may post what comes of it. */
export interface Behaviour<S, M, E> {
  readonly state: S;
  readonly step: (state: S, message: M) => { state: S; effects: readonly E[] };
  readonly perform: (effect: E) => void;
  /** Gets the exception after which the actor handles nothing any more; by default it ends the process. */
  readonly crash?: (error: unknown) => void;
}

/**
 * Returns `post`. Messages are handled in the order in which they were posted, each with all its effects before the
 * next. An exception is a bug, after which the state cannot be trusted: whoever called `post` is not told, because a
 * caller that answers a client would turn it into an answer.
 */
export function startActor<S, M, E>(behaviour: Behaviour<S, M, E>): (message: M) => void {
  const { crash = throwOutside } = behaviour;
  let { state } = behaviour;
  const mailbox: M[] = [];
  let busy = false;
  return (message) => {
    mailbox.push(message);
    if (busy) return;
    busy = true;
    try {
      for (let next = mailbox.shift(); next !== undefined; next = mailbox.shift()) {
        const { state: after, effects } = behaviour.step(state, next);
        state = after;
        for (const effect of effects) behaviour.perform(effect);
      }
      busy = false;
    } catch (error) {
      // It stays busy: nothing is handled after a crash.
      crash(error);
    }
  };
}

function throwOutside(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** The calls that wait for their answer. */
export interface Calls {
  /** Makes an id for a call, hands it to `send`, and waits for the answer. */
  ask<R>(send: (call: number) => void): Promise<R>;
  answer(call: number, result: unknown): void;
  refuse(call: number, error: Error): void;
}

export function createCalls(): Calls {
  const waiting = new Map<number, { resolve: (result: never) => void; reject: (error: Error) => void }>();
  let last = 0;
  const take = (call: number) => {
    const found = waiting.get(call);
    waiting.delete(call);
    return found;
  };
  return {
    ask: (send) =>
      new Promise((resolve, reject) => {
        last += 1;
        waiting.set(last, { resolve, reject });
        send(last);
      }),
    answer: (call, result) => take(call)?.resolve(result as never),
    refuse: (call, error) => take(call)?.reject(error),
  };
}

/** Named timers: setting one again replaces it, and a cleared one never fires. */
export function createTimers<T>(fire: (timer: T) => void): {
  set(timer: T, seconds: number): void;
  clear(timer: T): void;
  clearAll(): void;
} {
  const running = new Map<string, NodeJS.Timeout>();
  const clear = (timer: T): void => {
    const name = JSON.stringify(timer);
    clearTimeout(running.get(name));
    running.delete(name);
  };
  return {
    set(timer, seconds) {
      clear(timer);
      const name = JSON.stringify(timer);
      const timeout = setTimeout(
        () => {
          running.delete(name);
          fire(timer);
        },
        Math.min(seconds * 1000, longestTimeout),
      );
      running.set(name, timeout);
    },
    clear,
    clearAll() {
      for (const timeout of running.values()) clearTimeout(timeout);
      running.clear();
    },
  };
}

// Beyond this setTimeout fires at once.
const longestTimeout = 2 ** 31 - 1;
