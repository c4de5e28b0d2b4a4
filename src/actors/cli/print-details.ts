/** What `naught status --verbose` prints below the lines of naught 1: for whoever wants to know what is wrong. Pure. */
import type {
  LastDeath,
  LogInfo,
  ProcessInfo,
  ServingInfo,
  SlotInfo,
  Status,
  Usage,
  WorkerInfo,
} from "../../protocol/types.js";
import { formatSpan } from "../span.js";

export function printDetails(status: Status): string[] {
  const { workers, slots = [], logs = [], serving, daemon, master, versions, deploying } = status;
  const numbers = new Set([...workers, ...slots].map(({ slot }) => slot));
  return [
    ...(serving ? [printServing(serving)] : []),
    ...(deploying ? [`deploy ${deploying.id}: ${deploying.stage} for ${formatSpan(deploying.seconds)}`] : []),
    ...[...numbers]
      .sort((a, b) => a - b)
      .flatMap((number) => [
        ...workers.filter(({ slot }) => slot === number).map(printWorker),
        ...slots.filter(({ slot }) => slot === number).flatMap((info) => printSlot(info)),
      ]),
    ...logs.flatMap(printLog),
    ...(daemon ? [printProcess("daemon", daemon)] : []),
    master ? printProcess("master", master) : "master: none",
    ...(versions ? [`naught ${versions.naught}, node ${versions.node}`] : []),
  ];
}

function printServing({ generation, since, realScript }: ServingInfo): string {
  return `generation ${generation} since ${since}: ${realScript}`;
}

function printWorker({ slot, pid, generation, status, seconds, stray, usage }: WorkerInfo): string {
  const name = `worker ${slot} (pid ${pid}, generation ${generation}${stray ? ", of a master that died" : ""})`;
  const what = `${name}: ${status} for ${formatSpan(seconds)}`;
  return usage ? `${what}, ${printUsage(usage)}` : what;
}

function printSlot({ slot, restarts, failures, seconds, lastDeath }: SlotInfo): string[] {
  const tries = failures === 1 ? "1 failure" : `${failures} failures in a row`;
  return [
    ...(seconds === undefined ? [] : [`worker ${slot}: ${tries}, next try in ${formatSpan(seconds)}`]),
    ...(seconds === undefined && failures > 0 ? [`    ${tries}`] : []),
    ...(restarts > 0
      ? [`    ${restarts === 1 ? "1 restart" : `${restarts} restarts`} since the last deploy`]
      : []),
    ...(lastDeath ? printDeath(lastDeath) : []),
  ];
}

function printDeath({ worker, time, reason, seconds, stderr = [] }: LastDeath): string[] {
  return [
    `    last death ${time}: pid ${worker.pid} ${reason} after ${formatSpan(seconds)}`,
    ...stderr.map((line) => `        ${line}`),
  ];
}

/** Nothing where all is well. */
function printLog({ path, lost, trouble }: LogInfo): string[] {
  return [
    ...(trouble === undefined ? [] : [trouble]),
    ...(lost > 0 ? [`${path} lost ${lost} bytes that could not be written`] : []),
  ];
}

function printProcess(name: string, { pid, usage }: ProcessInfo): string {
  return usage ? `${name} (pid ${pid}): ${printUsage(usage)}` : `${name} (pid ${pid})`;
}

function printUsage({ memory, cpu }: Usage): string {
  const size = `${Math.round(memory / 2 ** 20)} MiB`;
  return cpu === null ? size : `${size}, ${cpu} % of a processor`;
}
