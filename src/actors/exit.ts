/** How a child process ended: in words, and only after what it said last. */

export function describeExit(code: number | null, signal: string | null): string {
  return signal ? `was killed by ${signal}` : `exited with code ${code}`;
}

/** Returns a function that, called once with how the process ended, passes that on as soon as its channel is closed. */
export function onceBoth(
  tell: (how: string) => void,
  onClose: (listener: () => void) => void,
): (how: string) => void {
  let how: string | undefined;
  let closed = false;
  let told = false;
  const check = (): void => {
    if (how === undefined || !closed || told) return;
    told = true;
    tell(how);
  };
  onClose(() => {
    closed = true;
    check();
  });
  return (ending) => {
    how ??= ending;
    check();
  };
}
