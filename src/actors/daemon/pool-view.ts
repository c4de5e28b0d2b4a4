/** The pool as the daemon sees it: put together from what the master tells. Pure. */
import type { PoolChange, Status } from "../../protocol/types.js";
import type { PoolView } from "./state.js";

/** `at` is when it was heard. Null while nothing is known to which a part could be added. */
export function applyChange(view: PoolView | null, change: PoolChange, at: number): PoolView | null {
  const { whole, workers: changed, gone, ...head } = change;
  if (!view && !whole) return null;
  const workers = new Map(whole ? [] : view?.workers);
  for (const id of gone) workers.delete(id);
  for (const worker of changed) workers.set(worker.id, { worker, at });
  return { head, at, workers };
}

export function describePool({ head, at, workers }: PoolView, now: number): Status {
  const counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  const passed = Math.max(0, (now - at) / 1000);
  const { deploying, delays } = head;
  for (const { worker } of workers.values()) counts[worker.status] += 1;
  return {
    ...head,
    counts,
    workers: [...workers.values()].map(({ worker, at: heard }) => ({
      ...worker,
      seconds: worker.seconds + Math.max(0, (now - heard) / 1000),
    })),
    ...(deploying && { deploying: { ...deploying, seconds: deploying.seconds + passed } }),
    ...(delays && {
      delays: delays.map((delay) => ({ ...delay, seconds: Math.max(0, delay.seconds - passed) })),
    }),
  };
}
