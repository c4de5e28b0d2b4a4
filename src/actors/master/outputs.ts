/**
 * The workers' output on the master's side. Owns a copy of every pipe until the daemon has read it to its end and has
 * written what was in it, so that a daemon which dies takes nothing along, and a new one can be told of all of them.
 */
import type { ChildProcess } from "node:child_process";
import { closeSync } from "node:fs";
import type { Client, Handle } from "../../protocol/contract.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Host } from "../../protocol/master.js";
import type { Output, OutputStreams, WorkerRef } from "../../protocol/types.js";
import { takePipe } from "../node-internals.js";
import { createFifos, type Fifo } from "./fifos.js";

type HostClient = Client<typeof Host>;

export interface Outputs {
  /** Makes pipes for so many workers that are about to be forked. */
  reserve(workers: number): void;
  /** Pipes for the worker that is forked next. */
  prepare(): Prepared;
  /** Tells a daemon of every pipe that nobody has read to its end. */
  announce(host: HostClient): void;
  /** Gives back what was made for workers that do not come. */
  close(): void;
}

export interface Prepared {
  /** What the worker gets as its stdout and stderr. */
  readonly stdio: readonly [Stdio, Stdio];
  /** To be called in the tick of the fork. */
  handOver(worker: WorkerRef, child: ChildProcess, host: HostClient): void;
  /** There is no worker. */
  discard(): void;
}

type Stdio = "ignore" | "pipe" | number;

/** A pipe that is not read to its end. */
interface Pipe {
  readonly output: Output;
  readonly handle: Handle | undefined;
  release(): void;
}

const streams = ["stdout", "stderr"] as const;

export function createOutputs(wanted: OutputStreams): Outputs {
  const fifos = createFifos({ procfs: wanted.procfs ?? false, directory: wanted.directory ?? "/" });
  const pipes = new Set<Pipe>();
  const count = streams.filter((stream) => wanted[stream]).length;

  function prepare(): Prepared {
    const taken = streams.map((stream) => (wanted[stream] ? fifos.take() : undefined));
    const stdio = streams.map((stream, index) => {
      if (!wanted[stream]) return "ignore";
      return taken[index]?.writer ?? "pipe";
    }) as unknown as readonly [Stdio, Stdio];
    const closeWriters = (): void => {
      for (const fifo of taken) if (fifo) closeSync(fifo.writer);
    };
    return {
      stdio,
      handOver(worker, child, host) {
        closeWriters();
        for (const [index, stream] of streams.entries()) {
          const pipe = findPipe({ worker, stream }, taken[index], child);
          if (pipe) keep(pipe, host);
        }
      },
      discard() {
        closeWriters();
        for (const fifo of taken) fifo?.release();
      },
    };
  }

  function findPipe(output: Output, fifo: Fifo | undefined, child: ChildProcess): Pipe | undefined {
    if (fifo) return { output: { ...output, path: fifo.path }, handle: undefined, release: fifo.release };
    const source = child[output.stream];
    if (!source) return undefined;
    const { obstacle } = fifos;
    return { output: obstacle === undefined ? output : { ...output, obstacle }, ...takePipe(source) };
  }

  function keep(pipe: Pipe, host: HostClient): void {
    pipes.add(pipe);
    tell(pipe, host);
  }

  function tell(pipe: Pipe, host: HostClient): void {
    const end = (): void => {
      if (pipes.delete(pipe)) pipe.release();
    };
    host.output(pipe.output, pipe.handle).then(end, (error: unknown) => {
      // A daemon that has died has not read it to its end: the next one will.
      if (!(error instanceof NaughtError && error.kind === "Lost")) end();
    });
  }

  return {
    reserve: (workers) => fifos.reserve(workers * count),
    prepare,
    announce(host) {
      for (const pipe of pipes) tell(pipe, host);
    },
    close: fifos.close,
  };
}
