/** The observer of the simulated tree: what clients were told, who was born, and what has been promised to them. */

import type { ClientEvent } from "../../src/client/types.js";
import type { NaughtEvent } from "../../src/protocol/types.js";
import { longestWay, type Machine, type Process } from "./tree-machine.js";
import type { MasterProgram } from "./tree-master.js";
import { hold } from "./tree-promises.js";
import type { WorkerProgram } from "./tree-worker.js";

export interface Book {
  readonly workers: WorkerProgram[];
  readonly masters: Set<MasterProgram>;
  /** How deploys ended as clients were told, `refused` ones, too; one that is not here may have ended either way. */
  readonly outcomes: Map<string, string>;
  /** The ids of deploys in the order in which they were asked for. */
  readonly deploys: string[];
  /** In the order in which masters came to know of them: those of clients that ask at the same moment may overtake. */
  readonly begun: string[];
  /** A client has asked for a stop. */
  stopAsked: boolean;
  /** Nobody was left who could have gone on. */
  isExtinct: boolean;
  /** Everything was stopped for good. */
  isOver: boolean;
  /** When the adversary last hurt a worker, or one of its own accord left. */
  hurtAt: number;
  /** What the histories have reached. */
  readonly reached: Set<string>;
  noteBorn(worker: WorkerProgram, master: MasterProgram): void;
  /** From then until now one of those who decide could not look at how things stand. */
  noteBlind(since: number): void;
  /** It is asked to go, while it accepts. */
  noteLeaving(worker: WorkerProgram): void;
  noteGivenUp(judge: Process, other: Process): void;
  /** A watcher is told. */
  noteEvent(run: string, event: ClientEvent): void;
}

/** Milliseconds in which those who decide may not know yet whom the adversary has hurt. */
const ignorance = 4_000;
/** Milliseconds of silence, at the least, after which one that is stopped is given up, and one that is not let run. */
const patience = { stopped: 1_500, starved: 14_000 };
/** Events that are told once of each worker. */
const once: readonly string[] = ["SpawnNew", "OldExit", "WorkerDeath", "NewDeath", "NewDestroyed"];

export function createBook(machine: Machine): Book {
  const { clock } = machine;
  const told = new Map<string, string>();
  const numbers = new Map<string, string>();
  const book: Book = {
    workers: [],
    masters: new Set(),
    outcomes: new Map(),
    deploys: [],
    begun: [],
    stopAsked: false,
    isExtinct: false,
    isOver: false,
    hurtAt: Number.NEGATIVE_INFINITY,
    reached: new Set(),
    noteBorn(worker, master) {
      book.workers.push(worker);
      book.masters.add(master);
    },
    noteBlind(since) {
      if (since - book.hurtAt < ignorance) book.hurtAt = Math.max(book.hurtAt, clock.now);
    },
    noteLeaving(worker) {
      if (book.stopAsked || clock.now - book.hurtAt < ignorance) return;
      const others = book.workers.filter(
        (each) => each !== worker && each.isAboutToAccept && !each.isAboutToLeave,
      );
      hold(
        others.length > 0,
        "capacity",
        () => `worker ${worker.terms.worker.id}, pid ${worker.process.pid}, was the last`,
      );
    },
    noteGivenUp(judge, other) {
      const since = Math.max(other.quietSince, judge.freeAt, machine.wokeAt);
      // The first word of one that runs again is on its way.
      const isQuiet = other.held !== null || clock.now - other.releasedAt <= longestWay;
      const how = isQuiet ? other.lastHeld : null;
      const silence = how === null ? 0 : clock.now - since;
      book.reached.add(`a ${other.kind} that is ${how} is given up`);
      hold(
        how !== null && silence >= patience[how],
        "patient",
        () => `${other.kind} ${other.pid}, ${how ?? "running"}, after ${silence} ms`,
      );
    },
    noteEvent(run, event) {
      if (event.name === "Gap") {
        return hold(event.missed === null, "numbers", () => `${event.missed} events are missing in ${run}`);
      }
      const { sequence, name, worker, detail = "" } = event as NaughtEvent;
      const number = `${run}: ${sequence}`;
      const what = `${name} ${worker ? `of ${worker.id}, pid ${worker.pid}` : ""} ${detail}`;
      const before = numbers.get(number);
      hold(
        before === undefined || before === what,
        "numbers",
        () => `${number} was ${before}, and is ${what}`,
      );
      numbers.set(number, what);
      if (!worker || !once.includes(name)) return;
      const key = `${run}: ${name} of pid ${worker.pid}`;
      const earlier = told.get(key);
      hold(earlier === undefined || earlier === number, "twice", () => `${key} as ${earlier} and ${number}`);
      told.set(key, number);
    },
  };
  return book;
}
