/** Which worker accepts from which queue of an address, where each slot has a queue of its own. Pure. */
import type { WorkerRef } from "../../protocol/types.js";

/** A worker that accepts on an address, and the queue it accepts from. */
export interface Acceptor {
  readonly worker: WorkerRef;
  /** The queue's slot. */
  readonly queue: number;
  /** Its master is gone: it accepts until it leaves, and cannot be told of other queues. */
  readonly isStray?: boolean;
}

/**
 * Who is to accept from the vacant queues, by slot: what waits in one must not wait for the slot's next worker, which
 * may be long in coming. Whoever has taken a queue over keeps it for as long as it is there.
 */
export function assignVacant(
  queues: readonly number[],
  acceptors: readonly Acceptor[],
  before: ReadonlyMap<number, Acceptor>,
): Map<number, Acceptor> {
  const assigned = new Map<number, Acceptor>();
  const reachable = acceptors.filter(({ isStray }) => !isStray);
  const newest = Math.max(...reachable.map(({ worker }) => worker.generation));
  // Those of the newest generation stay longest.
  const neighbours = reachable.filter(({ worker }) => worker.generation === newest);
  for (const queue of queues) {
    if (acceptors.some((acceptor) => acceptor.queue === queue)) continue;
    const holder = before.get(queue);
    const stays = holder && acceptors.find((acceptor) => isSame(acceptor, holder));
    const chosen = stays ?? neighbours[queue % neighbours.length];
    if (chosen) assigned.set(queue, chosen);
  }
  return assigned;
}

export function isSame(one: Acceptor, other: Acceptor): boolean {
  return (
    one.worker.id === other.worker.id && one.worker.pid === other.worker.pid && one.queue === other.queue
  );
}
