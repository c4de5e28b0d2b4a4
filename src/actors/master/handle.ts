/** The master's side of one worker process: forks it, talks to it, kills it, and says when it is gone. */
import cluster, { type Worker as ClusterWorker } from "node:cluster";
import { openChannel } from "../../protocol/channel.js";
import type { Client } from "../../protocol/contract.js";
import type { Host } from "../../protocol/master.js";
import { connect } from "../../protocol/peer.js";
import type { DrainTimes, ResolvedLaunch, MasterStart, WorkerRef } from "../../protocol/types.js";
import { Supervisor, Worker } from "../../protocol/worker.js";
import { takePipe } from "./pipe.js";

export interface WorkerHandle {
  readonly ref: WorkerRef;
  shutdown(times: DrainTimes): void;
  kill(): void;
}

/** What a worker process does, told at most once each but for `online` and `offline`. */
export interface WorkerFacts {
  online(): void;
  offline(): void;
  /** `how` as in "exited with code 1". */
  exit(how: string): void;
}

export function forkWorker(
  worker: Omit<WorkerRef, "pid">,
  launch: ResolvedLaunch,
  config: Pick<MasterStart, "preload" | "output" | "listenFds">,
  host: Client<typeof Host>,
  facts: WorkerFacts,
): WorkerHandle {
  let gone = false;
  const leave = (how: string): void => {
    if (gone) return;
    gone = true;
    facts.exit(how);
  };
  const forked = tryFork(worker.slot, launch, config);
  if (forked instanceof Error) {
    queueMicrotask(() => leave(describeError(forked)));
    return { ref: { ...worker, pid: 0 }, shutdown() {}, kill() {} };
  }
  const child = forked.process;
  const ref = { ...worker, pid: child.pid ?? 0 };
  handOverOutput(forked, ref, host);
  forked.on("error", () => {});
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) leave(describeError(error));
  });
  child.on("exit", (code, signal) => leave(signal ? `was killed by ${signal}` : `exited with code ${code}`));
  // The channel is ended by the worker alone, at its exit: cluster needs it until then.
  const peer = connect(openChannel(child, () => {}), Supervisor, { online: told(facts.online), offline: told(facts.offline) }, Worker);
  // A worker without a channel cannot be told anything any more.
  peer.onClose(() => !gone && facts.offline());
  return {
    ref,
    shutdown(times) {
      peer.client.shutdown(times).catch(() => !gone && child.kill("SIGTERM"));
    },
    kill() {
      if (!gone) child.kill("SIGKILL");
    },
  };
}

function told(tell: () => void): () => Record<string, never> {
  return () => {
    tell();
    return {};
  };
}

function tryFork(
  slot: number,
  launch: ResolvedLaunch,
  { preload, output, listenFds }: Pick<MasterStart, "preload" | "output" | "listenFds">,
): ClusterWorker | Error {
  cluster.setupPrimary({
    exec: launch.realScript,
    args: launch.args,
    cwd: launch.realCwd,
    execArgv: [...launch.nodeArgs, "--require", preload],
    stdio: ["ignore", output.stdout ? "pipe" : "ignore", output.stderr ? "pipe" : "ignore", "ipc"],
  });
  const listenFd = listenFds[0];
  const env = { ...launch.env, NAUGHT_WORKER: String(slot) };
  try {
    return cluster.fork(listenFd === undefined ? env : { ...env, LISTEN_FD: String(listenFd) });
  } catch (error) {
    return error as Error;
  }
}

function describeError(error: NodeJS.ErrnoException): string {
  return `could not be started (${error.code ?? error.message})`;
}

// In the tick of the fork, or the first lines would stay behind in this process.
function handOverOutput(forked: ClusterWorker, worker: WorkerRef, host: Client<typeof Host>): void {
  for (const stream of ["stdout", "stderr"] as const) {
    const source = forked.process[stream];
    if (!source) continue;
    const { handle, release } = takePipe(source);
    host.output({ worker, stream }, handle).then(release, release);
  }
}
