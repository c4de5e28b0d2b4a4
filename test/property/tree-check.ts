/** What must be true of a tree at rest. */
import { isKept, packState } from "../../src/actors/daemon/heritage.js";
import type { Asked, Watcher } from "./tree-clients.js";
import type { Process } from "./tree-machine.js";
import { hold, type PromiseName } from "./tree-promises.js";
import type { Tree } from "./tree-world.js";

export interface Audience {
  readonly watchers: readonly Watcher[];
  readonly asked: readonly Asked[];
}

export interface Complaint {
  readonly promise: PromiseName;
  readonly detail: string;
}

const name = ({ kind, pid, held }: Process): string => `${kind} ${pid}${held ? ` (${held})` : ""}`;

/** Undefined for a tree that is at rest. The most telling one comes first. */
export function findComplaint(tree: Tree, audience: Audience): Complaint | undefined {
  const { machine, files, book } = tree;
  const living = [...machine.processes].filter(({ kind }) => kind !== "client");
  if (living.length === 0) return complainAboutEnd(tree, audience);
  if (book.isOver) return { promise: "over", detail: `left: ${living.map(name).join(", ")}` };
  return (
    complainAboutTree(tree, living) ??
    complainAboutCalls(audience) ??
    complainAboutWatchers(audience, files.socket?.run, files.socket?.state.sequence ?? 0)
  );
}

function complainAboutEnd({ book, files }: Tree, audience: Audience): Complaint | undefined {
  if (!book.stopAsked && !book.isExtinct) return { promise: "alive", detail: "nothing is left" };
  if (book.isOver && (files.socket || files.state !== null || files.lock?.alive))
    return { promise: "over", detail: "a file is left" };
  return complainAboutCalls(audience);
}

function complainAboutTree({ files, book }: Tree, living: readonly Process[]): Complaint | undefined {
  const daemon = files.socket;
  const all = `there are ${living.map(name).join(", ")}`;
  if (!daemon?.process.alive || files.lock !== daemon.process || daemon.state.life !== "running")
    return { promise: "oneDaemon", detail: `${daemon?.process.pid} is ${daemon?.state.life}; ${all}` };
  const { master, state } = daemon;
  if (!master?.process.alive || master.daemon !== daemon || master.pool.phase.name !== "rest")
    return { promise: "oneMaster", detail: `${master?.process.pid} of ${daemon.process.pid}; ${all}` };
  const { serving } = state;
  const workers = book.workers.filter(
    ({ process }) => process.alive && master.pool.workers.some(({ id }) => isWorker(id, process)),
  );
  for (let slot = 0; slot < (serving?.workerCount ?? 0); slot += 1) {
    const filling = workers.filter(
      ({ terms: { worker }, isAccepting }) =>
        isAccepting && worker.slot === slot && worker.generation === serving?.generation,
    );
    if (filling.length !== 1)
      return { promise: "oneEach", detail: `${filling.length} in slot ${slot}; ${all}` };
  }
  const expected = 2 + (serving?.workerCount ?? 0);
  if (living.length !== expected) return { promise: "noOrphan", detail: `${expected} are needed; ${all}` };
  const known = [...state.workers.values()]
    .map(({ worker, status }) => `${worker.pid} ${status}`)
    .sort()
    .join(", ");
  const truth = workers
    .map(({ process }) => `${process.pid} online`)
    .sort()
    .join(", ");
  if (state.strays.size > 0 || known !== truth)
    return { promise: "noStray", detail: `${state.strays.size} strays; knows ${known}; ${all}` };
  const kept = files.state;
  if (!isKept(state) || kept === null || !keeps(kept, packState(state)))
    return { promise: "known", detail: `the state file has ${kept}` };
  return complainAboutServing(book, serving?.launch.script ?? "");

  function isWorker(id: number, process: Process): boolean {
    const found = book.workers.find((each) => each.process === process);
    return found?.terms.worker.id === id && found.process.parent === master?.process;
  }
}

function keeps(kept: string, parts: Readonly<Record<string, string>>): boolean {
  const written = JSON.parse(kept) as Record<string, string>;
  return Object.entries(parts).every(([part, text]) => written[part] === text);
}

function complainAboutServing({ begun, outcomes }: Tree["book"], script: string): Complaint | undefined {
  const last = begun.findLastIndex((id) => outcomes.get(id) === "done");
  const allowed = begun.slice(Math.max(0, last)).filter((id) => (outcomes.get(id) ?? "done") === "done");
  const id = script.split("/")[1] ?? "";
  const isAllowed = allowed.includes(id) || (last < 0 && id === "first");
  return isAllowed
    ? undefined
    : { promise: "remembered", detail: `${script} serves; ${JSON.stringify([...outcomes])}` };
}

function complainAboutCalls({ asked }: Audience): Complaint | undefined {
  const open = asked.filter(({ outcome }) => outcome === undefined).map(({ what }) => what);
  return open.length > 0 ? { promise: "answered", detail: open.join(", ") } : undefined;
}

function complainAboutWatchers(
  { watchers }: Audience,
  run: string | undefined,
  sequence: number,
): Complaint | undefined {
  const late = watchers.find((each) => each.run !== run || each.last !== sequence);
  return (
    late && {
      promise: "watching",
      detail: `at ${late.last} of ${late.run}, should be at ${sequence} of ${run}`,
    }
  );
}

export function assertNone(complaint: Complaint | undefined): void {
  hold(complaint === undefined, complaint?.promise ?? "alive", () => complaint?.detail ?? "");
}
