/** What goes wrong with a log file: words for it, each told once. */

/** What a log file was being asked for when it failed. */
export type Attempt = "write" | "reopen" | "rotate" | "compress" | "remove";

export interface Trouble {
  report(attempt: Attempt, error: unknown): void;
  /** It works again: the next failure is news. */
  forget(attempt: Attempt): void;
  /** What does not work now. */
  current(): string | undefined;
}

/** A full disk fails a thousand times a second, and says the same each time. */
export function createTrouble(path: string, onError: (error: Error) => void): Trouble {
  const told = new Map<Attempt, string>();
  return {
    report: (attempt, error) => {
      const message = `cannot ${attempt} ${path}: ${describeCause(error)}`;
      if (told.get(attempt) === message) return;
      told.set(attempt, message);
      onError(new Error(message));
    },
    forget: (attempt) => void told.delete(attempt),
    current: () => [...told.values()][0],
  };
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, "ENOENT");
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}

/** For what may fail without harm. */
export function tolerate(attempt: () => void): void {
  try {
    attempt();
  } catch {
    // It was a favour.
  }
}

/** One line without the path, which Node puts behind the cause: `EACCES: permission denied, open '/a/b'`. */
export function describeCause(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/, \w+( '.*)?$/s, "").replace(/\s+/g, " ");
}
