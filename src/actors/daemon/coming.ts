/**
 * The coming generation: from what the serving one accepts, its workers do not accept until they take over, so that
 * nothing is in their hands when they have to be killed again.
 */
import type { WorkerRef } from "../../protocol/types.js";

/** What has to be known of an address. */
export interface Threshold {
  /** The workers up to this generation accept from now on. */
  admit(generation: number): void;
  /** The newest generation that is withheld while nobody accepts; null when somebody does, or nobody wants to. */
  findWaiting(): number | null;
}

export interface Coming {
  /** Whether the worker has to wait where somebody accepts already. */
  withholds(worker: WorkerRef): boolean;
  /** A generation serves. */
  takeOver(generation: number): void;
  /** Somebody came or left. */
  look(): void;
  /** The master is gone, and whatever was coming with it. */
  forget(): void;
  keep(): KeptComing;
}

export interface KeptComing {
  readonly serving: number | null;
  readonly admitted: number | null;
}

/** `tell`: its workers are to accept at once. */
export function createComing(
  addresses: () => readonly Threshold[],
  tell: (generation: number) => void,
  /** Null before the first has taken over: whoever is there accepts then. */
  kept: KeptComing = { serving: null, admitted: null },
): Coming {
  let { serving, admitted } = kept;
  let timer: NodeJS.Timeout | undefined;

  const findWaiting = (): number =>
    Math.max(...addresses().map((address) => address.findWaiting() ?? -1), -1);

  function admit(generation: number): void {
    admitted = Math.max(admitted ?? 0, generation);
    for (const address of addresses()) address.admit(admitted);
  }

  // The old ones are dead, and none comes in their place: there is nobody else to serve, or to answer a newcomer
  // that warms itself up through its own port.
  function giveIn(): void {
    timer = undefined;
    const waiting = findWaiting();
    if (waiting < 0) return;
    admit(waiting);
    tell(waiting);
  }

  function look(): void {
    if (findWaiting() >= 0) timer ??= setTimeout(giveIn, patience).unref();
    else {
      clearTimeout(timer);
      timer = undefined;
    }
  }

  return {
    withholds: ({ generation }) => admitted !== null && generation > admitted,
    takeOver(generation) {
      serving = generation;
      admit(generation);
      look();
    },
    look,
    keep: () => ({ serving, admitted }),
    forget() {
      admitted = serving;
      look();
    },
  };
}

/** Milliseconds: longer than the replacement of a worker usually takes. */
const patience = 5_000;
