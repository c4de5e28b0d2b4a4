/** One address that workers listen on: its queue or queues, who accepts from each, and who has taken over a vacant one. */
import type { Handle } from "../../protocol/contract.js";
import type { QueueInfo, WorkerRef } from "../../protocol/types.js";
import type { SocketHandle } from "../node-internals.js";
import type { Threshold } from "./coming.js";
import { type Acceptor, assignVacant, isSame } from "./queues.js";

/** A listening socket, open for as long as the address is in use. */
export interface Queue {
  /** Unique for ever, so that no copy of an earlier socket is taken for it. */
  readonly key: string;
  readonly handle: SocketHandle;
}

/** How workers are told to accept from a queue that is not their slot's own. */
export interface Neighbours {
  adopt(worker: WorkerRef, own: string, key: string, handle: Handle): void;
  disown(worker: WorkerRef, key: string): void;
}

export interface Address extends Threshold {
  /** The queue for a slot; made if need be. One that is withheld counts as no acceptor until it is admitted. */
  join(worker: WorkerRef, isWithheld?: boolean): Queue;
  /** The worker has closed the queue; all of them without `key`. */
  leave(worker: WorkerRef, key?: string): void;
  /** Their master died: those who accept go on until each leaves, but cannot be told anything any more. */
  strand(): void;
  readonly isUsed: boolean;
  /** Somebody accepts from it. */
  readonly isServed: boolean;
  readonly keys: readonly string[];
  /** Each queue, with the workers that accept from it. */
  list(): QueueInfo[];
  keep(): KeptAddress;
  /** By key; without those that naught was given. */
  handles(): (readonly [key: string, handle: SocketHandle])[];
  close(): void;
}

/** What another daemon has to know of it; of the queues only their keys, because sockets travel by themselves. */
export interface KeptAddress {
  readonly queues: readonly (readonly [slot: number, key: string])[];
  readonly open: readonly number[];
  readonly acceptors: readonly Acceptor[];
  readonly withheld: readonly Acceptor[];
  readonly adopted: readonly (readonly [slot: number, adopter: Acceptor])[];
}

/**
 * `openMore` makes the queue of a further slot; null where all slots have to share the first. `others` are those that
 * every worker accepts from besides its own: sockets of the same port that naught was given.
 */
export function createAddress(
  first: Queue,
  openMore: (() => Queue | null) | null,
  neighbours: Neighbours,
  others: readonly Queue[] = [],
  kept: KeptAddress & { readonly held: ReadonlyMap<string, Queue> } = nothing,
): Address {
  const queues = new Map<number, Queue>();
  for (const [slot, key] of kept.queues) {
    const queue = kept.held.get(key);
    if (queue) queues.set(slot, queue);
  }
  let acceptors: Acceptor[] = [...kept.acceptors];
  let withheld: Acceptor[] = [...kept.withheld];
  /** The queues that the kernel fills: somebody has accepted from them. */
  const open = new Set(kept.open);
  let adopted = new Map(kept.adopted);

  function findQueue(slot: number): { slot: number; queue: Queue } {
    if (queues.size === 0) queues.set(openMore ? slot : 0, first);
    const known = queues.get(slot);
    if (known) return { slot, queue: known };
    const opened = openMore?.();
    if (opened) {
      queues.set(slot, opened);
      return { slot, queue: opened };
    }
    const [shared = 0] = queues.keys();
    return { slot: shared, queue: queues.get(shared) ?? first };
  }

  function balance(): void {
    for (const { queue } of acceptors) open.add(queue);
    const next = assignVacant([...open], acceptors, adopted);
    for (const [slot, acceptor] of adopted) {
      const stays = next.get(slot);
      const queue = queues.get(slot);
      // One that has closed its own queue, or is gone, has let go of all others by itself.
      const isThere = acceptors.some((each) => !each.isStray && isSame(each, acceptor));
      if (queue && isThere && !(stays && isSame(stays, acceptor)))
        neighbours.disown(acceptor.worker, queue.key);
    }
    for (const [slot, acceptor] of next) {
      const before = adopted.get(slot);
      const own = queues.get(acceptor.queue);
      const queue = queues.get(slot);
      if (own && queue && !(before && isSame(before, acceptor))) {
        neighbours.adopt(acceptor.worker, own.key, queue.key, queue.handle);
      }
    }
    adopted = next;
  }

  return {
    join(worker, isWithheld = false) {
      const { slot, queue } = findQueue(worker.slot);
      if (isWithheld) withheld = [...withheld, { worker, queue: slot }];
      else acceptors = [...acceptors, { worker, queue: slot }];
      for (const other of others) neighbours.adopt(worker, queue.key, other.key, other.handle);
      balance();
      return queue;
    },
    leave({ id, pid }, key) {
      const leaves = ({ worker, queue }: Acceptor): boolean =>
        worker.id === id && worker.pid === pid && (key === undefined || queues.get(queue)?.key === key);
      const all = [...acceptors, ...withheld];
      const first = all.find(leaves);
      if (!first) return;
      // A server that was closed before its socket arrived, and told to listen anew, has got it twice and closes one.
      const stays = (each: Acceptor): boolean => (key === undefined ? !leaves(each) : each !== first);
      acceptors = acceptors.filter(stays);
      withheld = withheld.filter(stays);
      balance();
    },
    admit(generation) {
      const enters = ({ worker }: Acceptor): boolean => worker.generation <= generation;
      if (!withheld.some(enters)) return;
      acceptors = [...acceptors, ...withheld.filter(enters)];
      withheld = withheld.filter((each) => !enters(each));
      balance();
    },
    findWaiting() {
      if (acceptors.length > 0 || withheld.length === 0) return null;
      return Math.max(...withheld.map(({ worker }) => worker.generation));
    },
    strand() {
      acceptors = acceptors.map((acceptor) => ({ ...acceptor, isStray: true }));
      // They will never be told to accept.
      withheld = [];
    },
    get isUsed() {
      return acceptors.length + withheld.length > 0;
    },
    get isServed() {
      return acceptors.length > 0;
    },
    get keys() {
      return [...queues.values()].map(({ key }) => key);
    },
    list() {
      const isAlone = queues.size === 1;
      const own = [...queues].map(([slot, { key }]) => {
        const adopter = adopted.get(slot);
        const acceptsHere = acceptors.filter(({ queue }) => isAlone || queue === slot);
        return { key, workers: [...acceptsHere, ...(adopter ? [adopter] : [])].map(({ worker }) => worker) };
      });
      const given = others.map(({ key }) => ({ key, workers: acceptors.map(({ worker }) => worker) }));
      return [...own, ...given];
    },
    handles: () => [...queues.values()].map(({ key, handle }) => [key, handle] as const),
    keep: () => ({
      queues: [...queues].map(([slot, { key }]) => [slot, key] as const),
      open: [...open],
      acceptors,
      withheld,
      adopted: [...adopted],
    }),
    close() {
      for (const { handle } of queues.size > 0 ? queues.values() : [first]) handle.close();
    },
  };
}

const nothing = {
  queues: [],
  open: [],
  acceptors: [],
  withheld: [],
  adopted: [],
  held: new Map<string, Queue>(),
};
