/** Keeps the order of what is passed on, though some of it has to be waited for. */

/** Returns a function that passes each message on, at once unless it, or one before it, is still a promise. */
export function passInTurn<M>(pass: (message: M) => void): (message: M | Promise<M>) => void {
  let last: Promise<void> | undefined;
  return (message) => {
    if (!last && !(message instanceof Promise)) return pass(message);
    const mine = Promise.all([message, last]).then(([ready]) => {
      if (last === mine) last = undefined;
      pass(ready);
    });
    last = mine;
  };
}
