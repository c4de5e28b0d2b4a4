/**
 * Where one contender runs: a directory, a loopback address and an environment of its own. Owns every process that is
 * started there: they are known by a mark in their environment or by their directory, and ended by their ids.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { findProcesses, kill, markName, type Process } from "../../test/support/processes.js";
import { describe, type Finished, launch } from "../../test/support/running.js";

export interface Command {
  readonly file: string;
  readonly args: readonly string[];
}

export interface Timed extends Finished {
  readonly ms: number;
}

export interface Stage {
  readonly dir: string;
  readonly host: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  path(name: string): string;
  /** Runs a command to its end, which has to be a success. */
  run(command: Command, timeout?: number): Promise<Timed>;
  processes(): Process[];
  defer(cleanup: () => unknown): void;
  /** Ends every process and removes the directory. */
  close(): Promise<void>;
}

const open = new Set<Stage>();
let over = false;
let addresses = 0;

type Environment = Readonly<Record<string, string>>;

/** The environment may depend on the stage's directory. */
export function openStage(env: Environment | ((dir: string) => Environment) = {}): Stage {
  if (over) throw new Error("the run is over");
  // A unix socket's path may have 107 bytes at most, and pm2 adds to it.
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "nb-")));
  const mark = randomBytes(8).toString("hex");
  const host = nextAddress();
  const port = 18_080;
  const cleanups: (() => unknown)[] = [];
  const full: Record<string, string> = {
    ...baseEnvironment(),
    HOME: dir,
    HOST: host,
    PORT: String(port),
    [markName]: mark,
  };
  Object.assign(full, typeof env === "function" ? env(dir) : env);
  const processes = () => findProcesses(mark, dir);
  const stage: Stage = {
    dir,
    host,
    port,
    env: full,
    path: (name) => join(dir, name),
    run: async (command, timeout = 120_000) => {
      const began = performance.now();
      const end = await launch(command.file, command.args, { cwd: dir, env: full, timeout }).finished;
      const ms = performance.now() - began;
      if (end.code !== 0) {
        throw new Error(`${command.args.join(" ")}: exit ${end.code ?? end.signal}; ${describe(end)}`);
      }
      return { ...end, ms };
    },
    processes,
    defer: (cleanup) => void cleanups.push(cleanup),
    close: async () => {
      for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
      for (let left = processes(); left.length > 0; left = processes()) {
        for (const each of left) kill(each.pid);
        await delay(20);
      }
      rmSync(dir, { recursive: true, force: true, maxRetries: 3 });
      open.delete(stage);
    },
  };
  open.add(stage);
  return stage;
}

/** Closes those of a scenario that was given up. */
export async function closeStages(): Promise<void> {
  for (const stage of open) await stage.close();
}

/** Whatever was interrupted leaves nothing behind, and begins nothing more. */
export async function endStages(): Promise<void> {
  over = true;
  await closeStages();
}

/** What is measured gets no variable that could slow it down, such as `NODE_EXTRA_CA_CERTS` or `NODE_OPTIONS`. */
export function baseEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LANG: "C" };
}

/** Linux answers on all of 127/8, so each stage has its own address, and none waits for another one's ports. */
function nextAddress(): string {
  addresses += 1;
  const block = 64 + ((process.pid * 4 + Math.floor(addresses / 250)) % 128);
  return `127.${block}.${(process.pid >> 6) & 255}.${1 + (addresses % 250)}`;
}
