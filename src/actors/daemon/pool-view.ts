/** The pool as the daemon sees it: put together from what the master tells. Pure. */
import type { Counts, PoolChange, Status } from "../../protocol/types.js";
import { shift } from "./report.js";
import type { PoolView } from "./state.js";

/** When it was heard: on a monotonic clock in milliseconds, and of which day. */
export interface Moment {
  readonly at: number;
  readonly time: string;
}

/** Null while nothing is known to which a part could be added. */
export function applyChange(
  view: PoolView | null,
  change: PoolChange,
  { at, time }: Moment,
): PoolView | null {
  const { whole, workers: changed, gone, ...head } = change;
  if (!view && !whole) return null;
  const workers = new Map(whole ? [] : view?.workers);
  for (const id of gone) workers.delete(id);
  for (const worker of changed) {
    workers.set(worker.id, { worker: { ...worker, since: shift(time, -worker.seconds) }, at });
  }
  const counts: Counts = { booting: 0, online: 0, dying: 0, new_online: 0 };
  for (const { worker } of workers.values()) counts[worker.status] += 1;
  return { head, at, workers, counts };
}

export function describePool({ head, at, workers, counts }: PoolView, now: number): Status {
  const passed = Math.max(0, (now - at) / 1000);
  const { deploying, delays } = head;
  const status: Status = { ...head, counts, workers: [] };
  for (const { worker, at: heard } of workers.values()) {
    status.workers.push({ ...worker, seconds: worker.seconds + Math.max(0, (now - heard) / 1000) });
  }
  if (deploying) status.deploying = { ...deploying, seconds: deploying.seconds + passed };
  if (delays && delays.length > 0) {
    status.delays = delays.map((delay) => ({ ...delay, seconds: Math.max(0, delay.seconds - passed) }));
  }
  return status;
}
