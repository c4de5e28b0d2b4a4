/** The present master's workers, as its events tell: for the day of its death. Pure. */
import type { PoolEvent, WorkerRef, WorkerStatus } from "../../protocol/types.js";
import { endLifelines } from "./lifelines.js";
import { recall } from "./memory.js";
import type { Daemon, KnownWorker } from "./state.js";
import { type Turn, update } from "./turn.js";

export function followWorker(turn: Turn, { name, worker }: PoolEvent): void {
  if (name === "Ready") return settleWorkers(turn);
  if (!worker) return;
  const workers = new Map(turn.state.workers);
  const status = statusAfter(name);
  if (status === null) {
    workers.delete(worker.id);
    endLifelines(turn, worker.pid);
  } else if (status) workers.set(worker.id, { worker, status });
  update(turn, {
    workers,
    newestWorker: Math.max(turn.state.newestWorker, worker.id),
    lastWorker: Math.max(turn.state.lastWorker, worker.id),
    lastGeneration: Math.max(turn.state.lastGeneration, worker.generation),
  });
}

function settleWorkers(turn: Turn): void {
  const settle = (known: KnownWorker): KnownWorker =>
    known.status === "new_online" ? { ...known, status: "online" } : known;
  update(turn, { workers: new Map([...turn.state.workers].map(([id, known]) => [id, settle(known)])) });
}

/** Null: it is gone. Undefined: nothing has changed. */
function statusAfter(name: PoolEvent["name"]): WorkerStatus | null | undefined {
  switch (name) {
    case "SpawnNew":
      return "booting";
    case "NewOnline":
      return "new_online";
    case "WorkerOnline":
      return "online";
    case "ShutdownOld":
    case "WorkerOffline":
    case "DestroyNew":
    case "DestroyOld":
      return "dying";
    case "NewDeath":
    case "OldExit":
    case "WorkerDeath":
    case "NewDestroyed":
      return null;
    default:
      return undefined;
  }
}

/** Whether it was told of this worker that it is gone. */
export function wasToldGone({ events }: Daemon, { id, pid }: WorkerRef): boolean {
  return recall(events).some(
    ({ name, worker }) => worker?.pid === pid && worker.id === id && statusAfter(name) === null,
  );
}
