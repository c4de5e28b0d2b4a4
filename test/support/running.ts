/**
 * One program started by a test: what it has said so far, a promise of what it will say, and how it ended. It
 * is the leader of a process group of its own, so that a Ctrl-C reaches what a terminal's would reach.
 */
import { type ChildProcess, spawn } from "node:child_process";

export interface Finished {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Running {
  readonly pid: number;
  /** Settles when the program has ended and nobody holds its streams any more. */
  readonly finished: Promise<Finished>;
  stdout(): string;
  stderr(): string;
  /** Resolves when the stream's text so far matches. */
  said(stream: "stdout" | "stderr", pattern: RegExp | string, ms?: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Ctrl-C: the whole foreground group gets it. False when the program has ended before. */
  interrupt(): boolean;
  /** The terminal goes away: SIGHUP for the group, and nobody reads its streams any more. */
  hangUp(): void;
}

export interface LaunchOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly uid?: number;
  /** A program that takes longer has failed. */
  readonly timeout?: number;
}

export function launch(command: string, args: readonly string[], options: LaunchOptions): Running {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  const text = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (chunk: string) => {
      text[stream] += chunk;
      for (const listen of listeners) listen();
    });
  }
  const name = [command.split("/").at(-1), ...args].join(" ");
  const finished = awaitEnd(child, name, text, options.timeout ?? 30_000);
  // Whoever cares awaits it; a test that has failed elsewhere must not fail a second time for this.
  finished.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    finished,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    said: (stream, pattern, ms = 15_000) =>
      new Promise((resolve, reject) => {
        const settle = (outcome: () => void) => {
          clearTimeout(timer);
          listeners.delete(check);
          child.off("close", fail);
          outcome();
        };
        const check = () => {
          if (text[stream].search(pattern instanceof RegExp ? pattern : literal(pattern)) >= 0)
            settle(resolve);
        };
        const fail = () =>
          settle(() => reject(new Error(`${name}: no ${pattern} on ${stream}; ${describe(text)}`)));
        const timer = setTimeout(fail, ms);
        listeners.add(check);
        child.on("close", fail);
        check();
      }),
    signal: (signal) => void child.kill(signal),
    interrupt: () => signalGroup(child, "SIGINT"),
    hangUp: () => {
      child.stdout.destroy();
      child.stderr.destroy();
      signalGroup(child, "SIGHUP");
    },
  };
}

export function describe(text: { readonly stdout: string; readonly stderr: string }): string {
  return `stdout ${JSON.stringify(text.stdout)}, stderr ${JSON.stringify(text.stderr)}`;
}

function awaitEnd(
  child: ChildProcess,
  name: string,
  text: { stdout: string; stderr: string },
  ms: number,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const state =
        child.exitCode === null ? "runs" : `has exited with ${child.exitCode}, but its streams are held open`;
      reject(new Error(`${name}: after ${ms} ms it still ${state}; ${describe(text)}`));
      child.kill("SIGKILL");
      child.stdout?.destroy();
      child.stderr?.destroy();
    }, ms);
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ ...text, code, signal });
    });
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): boolean {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
  return process.kill(-child.pid, signal);
}

function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
}
