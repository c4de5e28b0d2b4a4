/** Whether the daemon can still be found: looks after files that others may remove under it, and makes them anew. */
import { lstatSync } from "node:fs";

/** One thing that has to be there. */
export interface Presence {
  readonly path: string;
  /** `elsewhere`: somebody else's stands there, who is left alone. */
  look(): "here" | "gone" | "elsewhere";
  /** Throws when it cannot be made anew yet. */
  restore(): Promise<void> | void;
}

/** Milliseconds. */
const every = 2000;
const longest = 30_000;

/** Returns what ends it. What is wrong is told once, and that it is well again. */
export function guardPresences(
  presences: readonly Presence[],
  tell: (line: string) => void,
  interval = every,
): () => void {
  const told = new Map<string, string>();
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let delay = interval;

  async function check(presence: Presence): Promise<boolean> {
    const { path } = presence;
    const found = presence.look();
    if (found === "here") return true;
    if (found === "elsewhere") return say(path, `${path} is somebody else's now; it is left alone`);
    try {
      await presence.restore();
      told.delete(path);
      tell(`${path} was gone; it is there again`);
      return true;
    } catch (error) {
      return say(path, `${path} is gone, and cannot be made anew: ${(error as Error).message}`);
    }
  }

  function say(path: string, line: string): false {
    if (told.get(path) !== line) tell(line);
    told.set(path, line);
    return false;
  }

  async function run(): Promise<void> {
    let well = true;
    for (const presence of presences) if (!(await check(presence).catch(() => false))) well = false;
    delay = well ? interval : Math.min(longest, delay * 2);
    if (!ended) timer = setTimeout(run, delay).unref();
  }

  timer = setTimeout(run, interval).unref();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Device and inode of what stands at the path; undefined when nothing does, or nothing can be told. */
export function identify(path: string): string | undefined {
  try {
    const { dev, ino } = lstatSync(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
