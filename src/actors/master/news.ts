/** What the daemon knows of the pool: owns what it was told last, and tells it what is different now. */
import type { PoolChange, Status, WorkerInfo } from "../../protocol/types.js";

export interface News {
  /** The pool is different: `describe` says how it is now. */
  follow(describe: () => Status): void;
  /** Sends what has not been told yet; without the workers that are still to be forked. */
  tell(): void;
  /** To one that knows nothing yet. */
  tellAll(): void;
}

export function createNews(
  send: (change: PoolChange) => void,
  isForked: (worker: WorkerInfo) => boolean,
): News {
  let describe: (() => Status) | undefined;
  let latest: (() => Status) | undefined;
  let whole = true;
  let head = "";
  let known = new Map<number, string>();

  return {
    follow(describeNow) {
      describe = describeNow;
      latest = describeNow;
    },
    tellAll() {
      describe = latest;
      whole = true;
      known = new Map();
      tell();
    },
    tell,
  };

  function tell(): void {
    if (!describe) return;
    const { counts: _, workers: all, ...rest } = describe();
    const workers = all.filter(isForked);
    if (workers.length === all.length) describe = undefined;
    const now = new Map(workers.map((worker) => [worker.id, identify(worker)]));
    const changed = workers.filter(({ id }) => known.get(id) !== now.get(id));
    const gone = [...known.keys()].filter((id) => !now.has(id));
    const nextHead = JSON.stringify(rest);
    if (!whole && changed.length === 0 && gone.length === 0 && nextHead === head) return;
    send({ ...rest, whole, workers: changed, gone });
    whole = false;
    head = nextHead;
    known = now;
  }
}

// Time passes without being told.
function identify(worker: WorkerInfo): string {
  return JSON.stringify({ ...worker, seconds: 0 });
}
