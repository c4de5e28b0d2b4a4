/**
 * One test of the whole program: a directory, an address and an environment of its own, the command line to
 * be run in them, and a look at what it leaves behind. No process and no socket may outlive the test.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findProcesses, kill, markName, type Process, pickWorkers, type WorkerProcess } from "./processes.js";
import { describe, type Finished, type LaunchOptions, launch, type Running } from "./running.js";
import { root } from "./servers.js";
import { makeTemp, ownAddress, port } from "./temp.js";
import { until } from "./wait.js";

/** Another build, say that of the packed package, can be put to the same tests. */
export const program = process.env.E2E_NAUGHT ?? join(root, "dist/naught.cjs");

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly uid?: number;
  readonly timeout?: number;
}

export interface Naught {
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  /** What every command is given as its environment. */
  readonly env: Readonly<Record<string, string>>;
  path(...names: string[]): string;
  /** Writes a file in the test's directory and returns its path. */
  write(name: string, text: string): string;
  /** A file's text; none when there is no file. */
  read(name: string): string;
  /** Resolves with the file's text when it matches. */
  wrote(name: string, pattern: RegExp, ms?: number): Promise<string>;
  run(args: readonly string[], options?: RunOptions): Promise<Finished>;
  /** `run` for a command that has to succeed. */
  succeed(args: readonly string[], options?: RunOptions): Promise<Finished>;
  spawn(args: readonly string[], options?: RunOptions): Running;
  processes(): Process[];
  workers(): WorkerProcess[];
  /** The daemon's process id, as its pid file has it. */
  daemon(): number;
  /** Kills every process at once with -9, and waits until they are gone. */
  killAll(): Promise<void>;
  /** Registers what has to be done when the test is over, whatever becomes of it. */
  defer(cleanup: () => unknown): void;
}

/** Makes a test of a body: cleans up after it, and fails it for what it leaves behind. */
export function e2e(body: (naught: Naught) => Promise<void>, ms = 90_000): () => Promise<void> {
  return async () => {
    const history: string[] = [];
    const cleanups: (() => unknown)[] = [];
    const temp = makeTemp();
    const naught = makeNaught(temp.dir, history, cleanups);
    let failure: unknown;
    try {
      await within(ms, body(naught));
      await assertNothingLeft(naught);
    } catch (error) {
      failure = explain(error, naught, history);
    }
    for (const cleanup of cleanups.reverse()) await cleanup();
    await naught.killAll();
    temp.remove();
    if (failure !== undefined) throw failure;
  };
}

function makeNaught(dir: string, history: string[], cleanups: (() => unknown)[]): Naught {
  const host = ownAddress();
  const mark = randomBytes(8).toString("hex");
  const env = {
    PATH: process.env.PATH ?? "/usr/bin:/bin",
    HOME: dir,
    HOST: host,
    PORT: String(port),
    [markName]: mark,
  };
  const path = (...names: string[]) => resolve(dir, ...names);
  const read = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), "utf8") : "");
  const processes = () => findProcesses(mark, dir);
  const spawn = (args: readonly string[], options: RunOptions = {}) => {
    const launchOptions: LaunchOptions = { cwd: dir, ...options, env: { ...env, ...options.env } };
    const running = launch(process.execPath, [program, ...args], launchOptions);
    running.finished.then(
      (end) => history.push(`naught ${args.join(" ")}: ${end.code ?? end.signal}, ${describe(end)}`),
      (error) => history.push(String(error)),
    );
    return running;
  };
  const run = (args: readonly string[], options: RunOptions = {}) => spawn(args, options).finished;
  return {
    dir,
    host,
    port,
    env,
    path,
    read,
    run,
    spawn,
    processes,
    write: (name, text) => {
      mkdirSync(dirname(path(name)), { recursive: true });
      writeFileSync(path(name), text);
      return path(name);
    },
    wrote: (name, pattern, ms) =>
      until(`${pattern} in ${name}`, () => pattern.test(read(name)) && read(name), ms),
    succeed: async (args, options) => {
      const end = await run(args, options);
      if (end.code !== 0)
        throw new Error(`naught ${args.join(" ")}: exit ${end.code ?? end.signal}; ${describe(end)}`);
      return end;
    },
    workers: () => pickWorkers(processes()),
    daemon: () => {
      const pid = Number(read("naught.pid"));
      // Signals to process 0 would go to the test's own group.
      if (!(pid > 0)) throw new Error("there is no pid file with a process in it");
      return pid;
    },
    killAll: async () => {
      await until("every process to be gone", () => {
        const left = processes();
        for (const each of left) kill(each.pid);
        return left.length === 0;
      });
    },
    defer: (cleanup) => void cleanups.push(cleanup),
  };
}

async function within(ms: number, work: Promise<void>): Promise<void> {
  const end = new AbortController();
  const expired = delay(ms, undefined, { signal: end.signal }).then(() => {
    throw new Error(`the test took longer than ${ms} ms`);
  });
  expired.catch(() => undefined);
  // When the deadline wins, what the body still does is of no interest.
  work.catch(() => undefined);
  try {
    await Promise.race([work, expired]);
  } finally {
    end.abort();
  }
}

/** A process that has said its last word may take a moment to end, and no longer. */
async function assertNothingLeft(naught: Naught): Promise<void> {
  const isClean = () => naught.processes().length === 0;
  await until("no process to be left", isClean, 2_000).catch(() => undefined);
  const left = naught
    .processes()
    .map((each) => `process ${each.pid} (parent ${each.parent}): ${each.command}`);
  const sockets = readdirSync(naught.dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isSocket())
    .map((entry) => `socket ${entry.name}`);
  if (left.length + sockets.length > 0) throw new Error(`left behind:\n${[...left, ...sockets].join("\n")}`);
}

function explain(error: unknown, naught: Naught, history: readonly string[]): Error {
  // A test that polls for the status would leave nothing else to be seen.
  const isNews = (line: string) => !line.startsWith("Status. ");
  const tail = (name: string) =>
    `--- ${name}\n${naught.read(name).split("\n").filter(isNews).slice(-40).join("\n")}`;
  const parts = ["--- commands", ...history, ...["naught.log", "stderr.log", "stdout.log"].map(tail)];
  const cause = error instanceof Error ? error : new Error(String(error));
  const told = new Error(`${cause.message}\n${parts.join("\n")}`);
  // The frames that matter are those of the assertion; its text is above already.
  const frames = (cause.stack ?? "").split("\n").filter((each) => /^ {4}at /.test(each));
  told.stack = [`Error: ${told.message}`, ...frames].join("\n");
  return told;
}
