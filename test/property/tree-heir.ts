/** The start of a daemon in the place of a dead one, by a simulated master or worker. */
import type { Inheritance } from "../../src/protocol/types.js";
import { type DaemonProgram, openDaemon } from "./tree-daemon.js";
import type { Connection, Process } from "./tree-machine.js";
import type { MasterProgram } from "./tree-master.js";
import type { Tree } from "./tree-world.js";

/** What it is left, with the master itself in the place of its process id. */
export interface Estate extends Omit<Inheritance, "master"> {
  readonly master: MasterProgram | null;
}

export interface Heir {
  readonly process: Process;
  readonly program: DaemonProgram;
  readonly connection: Connection;
}

/** What became of it; `rival`: another daemon is in that place. */
export type Ending = "there" | "failed" | "rival";

/** `done` is called once: `there` when the daemon can be reached. Null: none could be started. */
export function startHeir(
  tree: Tree,
  parent: Process,
  estate: Estate,
  done: (ending: Ending) => void,
): Heir | null {
  const { machine } = tree;
  let isOver = false;
  const finish = (ending: Ending): void => {
    if (isOver) return;
    isOver = true;
    if (ending !== "there" && machine.enter(parent)) machine.kill(process);
    // What it was given stays with it; a worker has nothing more to say.
    if (estate.master === null) connection.close(parent);
    done(ending);
  };
  if (tree.failingHeirs > 0) {
    tree.failingHeirs -= 1;
    machine.after(parent, 1, () => done("failed"));
    return null;
  }
  const process = machine.spawn("daemon", parent);
  const connection = machine.connect(parent, process);
  const program = openDaemon(tree, process, { parent, connection });
  process.mourners.push(() => machine.after(parent, 1, () => finish("failed")));
  connection.send(parent, () => program.inherit(estate, finish));
  return { process, program, connection };
}
