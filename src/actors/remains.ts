/** What is left of a server whose daemon has died: its processes, as the state file names them. */
import { existsSync, readFileSync } from "node:fs";
import { readHostId } from "./host-id.js";
import { isSameProcess, readProcess } from "./proc.js";
import { stateFile } from "./state-file.js";

/** What a daemon leaves by which its processes are known; a part of the state file. */
export interface Identity {
  /** Names the life of its events. */
  readonly run: string;
  /** By which it knows its workers. */
  readonly token: string;
  readonly hostId: string;
  readonly master: { readonly pid: number; readonly startTime: string };
}

type Parts = Readonly<Record<string, string>>;

export function identifyServer(names: Pick<Identity, "run" | "token">, master: number): Identity {
  const { startTime = "" } = readProcess(master) ?? {};
  return { ...names, hostId: readHostId(), master: { pid: master, startTime } };
}

/** The process ids of master and workers that live; undefined where nobody knows. */
export function findRemains(ipcFile: string): number[] | undefined {
  const parts = readParts(ipcFile);
  const { hostId, token, master } = readPart<Partial<Identity>>(parts?.identity);
  if (!parts || !token || !existsSync("/proc/self/environ")) return undefined;
  // Since then the machine has started anew, or this is another one.
  if (hostId !== readHostId()) return [];
  const isWorker = (pid: number): boolean => isSameProcess(pid, "") && hasInEnvironment(pid, token);
  const workers = listWorkers(parts).filter(isWorker);
  return master && isSameProcess(master.pid, master.startTime) ? [master.pid, ...workers] : workers;
}

/**
 * Whether a daemon that was left `parts` would stand in the way of another one: there is a master, other than the one that
 * has started it (0: a worker has), which brings back its own; or, for a worker's, another one has lived since.
 */
export function isSuperseded(ipcFile: string, parts: Parts, own: number): boolean {
  const kept = readParts(ipcFile)?.identity;
  if (own === 0 && kept !== parts.identity) return true;
  const { master } = readPart<Partial<Identity>>(kept);
  if (master === undefined || master.pid === own) return false;
  return isSameProcess(master.pid, master.startTime) && !isStopped(master.pid);
}

function isStopped(pid: number): boolean {
  return readProcess(pid)?.state === "T";
}

function readParts(ipcFile: string): Parts | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(ipcFile), "utf8")) as Parts;
  } catch {
    return undefined;
  }
}

function readPart<T>(text: string | undefined): T {
  return JSON.parse(text ?? "{}") as T;
}

type Kept = readonly (readonly [unknown, { readonly worker: { readonly pid: number } }])[];

function listWorkers(parts: Parts): number[] {
  const { workers = [], strays = [] } = readPart<{ workers?: Kept; strays?: Kept }>(parts.workers);
  return [...workers, ...strays].map(([, { worker }]) => worker.pid).filter((pid) => pid > 0);
}

/** True, too, for a process that nobody may look into: it has privileges of its own, or had. */
function hasInEnvironment(pid: number, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, "latin1").includes(text);
  } catch (error) {
    return ["EACCES", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? "");
  }
}
