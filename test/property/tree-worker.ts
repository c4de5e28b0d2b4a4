/** A simulated worker: its application, its lifeline, and what it does when everybody else is dead. */
import { pause } from "../../src/actors/worker/despair.js";
import type { DrainTimes, WorkerRef } from "../../src/protocol/types.js";
import type { Quality } from "./tree-adversary.js";
import { type Heir, startHeir } from "./tree-heir.js";
import type { Connection, Process } from "./tree-machine.js";
import type { MasterProgram } from "./tree-master.js";
import type { Tree } from "./tree-world.js";

export interface WorkerTerms {
  readonly worker: WorkerRef;
  readonly quality: Quality;
  /** It must not accept before it is told to. */
  readonly isWithheld: boolean;
  readonly master: number;
  readonly token: string;
  readonly times: DrainTimes;
}

export interface WorkerProgram {
  readonly process: Process;
  readonly terms: WorkerTerms;
  readonly isOnline: boolean;
  /** Connections are served here. */
  readonly isAccepting: boolean;
  /** Or the word that it may accept is on its way. */
  readonly isAboutToAccept: boolean;
  /** It was asked to go, or the word that it is to go is on its way, also because it has asked for that itself. */
  readonly isAboutToLeave: boolean;
  expectServe(): void;
  /** The master's word is on its way. */
  expectShutdown(): void;
  serve(answer: () => void): void;
  shutdown(times: DrainTimes, told: () => void): void;
  sayOffline(): void;
}

export function openWorker(
  tree: Tree,
  process: Process,
  { connection, master }: { connection: Connection; master: MasterProgram },
  terms: WorkerTerms,
): WorkerProgram {
  const { machine, brain, book } = tree;
  const { boot, farewell } = tree.nextNature();
  let isOnline = false;
  let isWithheld = terms.isWithheld;
  let isExpected = false;
  let isUnwilling = false;
  let isStranded = false;
  let isLeaving = false;
  let isOrdered = false;
  /** By the daemon. */
  let isSentAway = false;
  let tries = 0;
  let reviving: Heir | null = null;

  const answer = (run: () => void): void => connection.send(process, run);

  function startUp(): void {
    if (terms.quality === "bad") return machine.kill(process);
    if (terms.quality === "hangs") return;
    isOnline = true;
    answer(() => master.online(terms.worker.id));
  }

  /** Whoever decides looks at how things stand then, not at how they will when its word arrives. */
  function noteOrder(): void {
    if (program.isAccepting && !program.isAboutToLeave) book.noteLeaving(program);
    isOrdered = true;
  }

  function leave(told: () => void): void {
    isLeaving = true;
    machine.after(process, farewell, () => {
      told();
      machine.after(process, 20, () => machine.kill(process));
    });
  }

  function reach(): void {
    const daemon = tree.files.socket;
    if (!daemon?.process.alive) return miss();
    tries = 0;
    const line = machine.connect(process, daemon.process);
    line.onClose(process, miss);
    const answered = (result: DrainTimes | "refused"): void => {
      if (result === "refused") return line.close(process);
      isSentAway = true;
      if (!isLeaving) leave(() => {});
    };
    line.send(process, () => daemon.lifeline(line, process, terms, { ordered: noteOrder, answered }));
  }

  function miss(): void {
    tries += 1;
    if (isStranded && !isSentAway) despair();
    machine.after(process, pause, reach);
  }

  function despair(): void {
    const next = brain.decideAlone(tries);
    if (next === "leave" && !isLeaving) {
      noteOrder();
      return leave(() => {});
    }
    if (next !== "revive" || reviving) return;
    const parts = tree.files.state;
    if (parts === null) return;
    const heir = startHeir(tree, process, { parts: JSON.parse(parts), events: [], master: null }, () => {
      reviving = null;
    });
    reviving = heir;
  }

  const program: WorkerProgram = {
    process,
    terms,
    get isOnline() {
      return isOnline;
    },
    get isAccepting() {
      return process.alive && isOnline && !isWithheld && !isLeaving;
    },
    get isAboutToAccept() {
      return process.alive && isOnline && (!isWithheld || isExpected) && !isLeaving;
    },
    get isAboutToLeave() {
      return isLeaving || isOrdered || isUnwilling;
    },
    expectServe() {
      isExpected = true;
    },
    expectShutdown: noteOrder,
    serve(done) {
      isWithheld = false;
      answer(done);
    },
    shutdown(_times, told) {
      if (!isLeaving) leave(() => answer(told));
    },
    sayOffline() {
      isUnwilling = true;
      answer(() => master.offline(terms.worker.id));
    },
  };
  connection.onClose(process, () => {
    isStranded = true;
  });
  machine.after(process, 5, reach);
  machine.after(process, boot + (terms.quality === "slow" ? 3000 : 0), startUp);
  return program;
}
