/** Ctrl-C while a command waits: what it means depends on the command, and on how often it was pressed. */

/**
 * Waits for `work`. At each of the signals `act` is told its number, from 1, and says whether to go on waiting;
 * resolves with undefined when it says no.
 */
export async function waitInterruptibly<T extends object>(
  work: Promise<T>,
  signals: readonly NodeJS.Signals[],
  act: (count: number) => "wait" | "leave",
): Promise<T | undefined> {
  let count = 0;
  let leave = (): void => {};
  const left = new Promise<undefined>((resolve) => {
    leave = () => resolve(undefined);
  });
  const listener = (): void => {
    count += 1;
    if (act(count) === "leave") leave();
  };
  for (const signal of signals) process.on(signal, listener);
  try {
    return await Promise.race([work, left]);
  } finally {
    for (const signal of signals) process.off(signal, listener);
  }
}
