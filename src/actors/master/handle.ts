/** The master's side of one worker process: forks it, talks to it, kills it, and says when it is gone. */
import cluster, { type Worker as ClusterWorker } from "node:cluster";
import { existsSync } from "node:fs";
import { openChannel } from "../../protocol/channel.js";
import type { Client, Handle } from "../../protocol/contract.js";
import type { Host } from "../../protocol/master.js";
import { connect } from "../../protocol/peer.js";
import type {
  Adopt,
  DrainTimes,
  MasterStart,
  Pulse,
  ResolvedLaunch,
  SocketRef,
  WorkerRef,
} from "../../protocol/types.js";
import { Supervisor, Worker } from "../../protocol/worker.js";
import { describeExit, onceBoth } from "../exit.js";
import { lifelineVariable } from "../lifeline-variable.js";
import type { Outputs, Prepared } from "./outputs.js";
import type { SocketCopies } from "./socket-copies.js";
import { type Vitals, watchVitals } from "./vitals.js";

/** A worker's numbers of the sockets that naught was given begin here: 3 is its channel. */
export const firstWorkerFd = 4;

/** Milliseconds between the end of a channel and the exit that explains it. */
const exitPatience = 1000;

export interface WorkerHandle {
  readonly ref: WorkerRef;
  /** Its generation takes over; resolves when it accepts, or never will. */
  serve(): Promise<unknown>;
  shutdown(times: DrainTimes): void;
  kill(): void;
  /** Asks how it is, unless that was asked and not answered. `amends`: that it has not answered yet counts for nothing. */
  ping(amends: boolean): void;
  adopt(adopt: Adopt, socket: Handle): void;
  disown(socket: SocketRef): void;
  /** Keeps an unused copy. */
  hold(socket: SocketRef, handle: Handle): void;
  /** Resolves when it has no unused copy any more, or cannot be asked. */
  release(socket: SocketRef): Promise<unknown>;
}

/** What a worker process does, told at most once each but for `online`, `offline`, `pulse` and `silent`. */
export interface WorkerFacts {
  online(inspected: boolean): void;
  offline(): void;
  /** Its application has got `shutdown`. */
  told(): void;
  /** It has answered a ping. */
  pulse(pulse: Pulse): void;
  /** It has still not answered the last ping. */
  silent(vitals: Vitals): void;
  /** `how` as in "exited with code 1". */
  exit(how: string): void;
}

/** What all workers of a master have in common. */
export type WorkerConfig = Pick<MasterStart, "preload" | "listenFds" | "listenNames" | "lifeline">;

export function forkWorker(
  worker: Omit<WorkerRef, "pid">,
  launch: ResolvedLaunch,
  config: WorkerConfig,
  { host, sockets, outputs }: { host: Client<typeof Host>; sockets: SocketCopies; outputs: Outputs },
  facts: WorkerFacts,
): WorkerHandle {
  const prepared = outputs.prepare();
  const forked = tryFork(worker, launch, config, prepared);
  if (forked instanceof Error) {
    prepared.discard();
    queueMicrotask(() => facts.exit(describeError(forked)));
    const ref = { ...worker, pid: 0 };
    const serve = () => Promise.resolve();
    return {
      ref,
      serve,
      shutdown() {},
      kill() {},
      ping() {},
      adopt() {},
      disown() {},
      hold() {},
      release: async () => {},
    };
  }
  const child = forked.process;
  const ref = { ...worker, pid: child.pid ?? 0 };
  // In the tick of the fork, or the first lines of a socket would stay behind in this process.
  prepared.handOver(ref, child, host);
  forked.on("error", () => {});
  child.on("error", (error: NodeJS.ErrnoException) => {
    if (child.pid === undefined) facts.exit(describeError(error));
  });
  // The channel is ended by the worker alone, at its exit: cluster needs it until then.
  const peer = connect(
    openChannel(child, () => {}),
    Supervisor,
    {
      online({ inspected = false }) {
        facts.online(inspected);
        return {};
      },
      offline: told(facts.offline),
      listen: async (wish) => sockets.keep(await host.listen({ ...wish, worker: ref })),
      unlisten: ({ key }) => host.unlisten({ key, worker: ref }),
      native: () => host.native({}),
    },
    Worker,
  );
  // What it said last may come after the news of its exit: an `offline`, say.
  const leave = onceBoth(facts.exit, peer.onClose);
  // A signal for a process that could not be started would go to number 0: everybody in this process's group.
  let gone = child.pid === undefined;
  child.on("exit", (code, signal) => {
    gone = true;
    leave(describeExit(code, signal));
  });
  // A worker without a channel cannot be told anything any more.
  peer.onClose(() => setTimeout(() => !gone && facts.offline(), exitPatience));
  const measure = watchVitals(ref.pid);
  let asked = false;
  return {
    ref,
    serve: () => peer.client.serve({}).catch(() => {}),
    ping(amends) {
      const vitals = measure();
      if (asked && !amends) facts.silent(vitals);
      if (asked) return;
      asked = true;
      peer.client.ping({}).then(
        (pulse) => {
          asked = false;
          facts.pulse(pulse);
        },
        // It is gone, or going without a channel.
        () => {},
      );
    },
    shutdown(times) {
      peer.client.shutdown(times).then(facts.told, () => !gone && child.kill("SIGTERM"));
    },
    adopt: (adopt, socket) => void peer.client.adopt(adopt, socket).catch(() => {}),
    disown: (socket) => peer.client.disown(socket),
    hold: (socket, handle) => void peer.client.hold(socket, handle).catch(() => {}),
    release: (socket) => peer.client.release(socket).catch(() => {}),
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
  worker: Omit<WorkerRef, "pid">,
  launch: ResolvedLaunch,
  { preload, listenFds, listenNames, lifeline }: WorkerConfig,
  { stdio }: Prepared,
): ClusterWorker | Error {
  cluster.setupPrimary({
    exec: launch.realScript,
    args: launch.args,
    cwd: launch.realCwd,
    execArgv: [...launch.nodeArgs, "--require", preload],
    stdio: ["ignore", ...stdio, "ipc", ...listenFds],
  });
  try {
    // Node would only say ENOENT, or leave a worker to say what its parent should have known.
    for (const path of [launch.realCwd, launch.realScript]) {
      if (!existsSync(path)) return new Error(`${path} is gone`);
    }
    return cluster.fork({
      ...launch.env,
      NAUGHT_WORKER: String(worker.slot),
      ...(lifeline ? { [lifelineVariable]: JSON.stringify({ ...lifeline, worker }) } : {}),
      ...nameSockets(listenFds, listenNames),
    });
  } catch (error) {
    return error as Error;
  }
}

// Where the worker finds the sockets that naught was given: the first as under 1.x, and all of them.
function nameSockets(listenFds: readonly number[], names: readonly string[]): Record<string, string> {
  if (listenFds.length === 0) return {};
  const fds = listenFds.map((_, index) => firstWorkerFd + index);
  return {
    LISTEN_FD: String(fds[0]),
    NAUGHT_LISTEN_FDS: fds.join(","),
    ...(names.length > 0 ? { NAUGHT_LISTEN_FDNAMES: names.join(":") } : {}),
  };
}

function describeError(error: NodeJS.ErrnoException): string {
  const { code, path } = error;
  const why =
    code === "ENOENT" && path ? `${path} is gone` : ((code && words[code]) ?? code ?? error.message);
  return `could not be started: ${why}`;
}

/** What a machine runs out of. */
const words: Readonly<Record<string, string>> = {
  EMFILE: "too many open files",
  ENFILE: "the system has too many open files",
  EAGAIN: "the system allows no more processes",
  ENOMEM: "the system has no memory left",
  ENOSPC: "no space left on the device",
  EROFS: "the file system is read-only",
};
