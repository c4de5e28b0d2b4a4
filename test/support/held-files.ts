/** A daemon's files in the hands of another process, and what stands in a test's directory. */
import assert from "node:assert/strict";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Naught } from "./naught.js";
import { type LaunchOptions, launch, type Running } from "./running.js";

export interface HolderOptions {
  readonly ipcFile?: string;
  readonly pidFile?: string;
  readonly removeOldIpc?: boolean;
  /** "darwin" has the lock in a file. */
  readonly platform?: string;
  readonly umask?: number;
  readonly uid?: number;
  /** Shell commands before the program, in the same process. */
  readonly before?: string;
}

export interface Held {
  readonly pid: number;
  close(): Promise<void>;
  kill(): Promise<void>;
}

const program = join(import.meta.dirname, "file-holder.js");

function run(naught: Naught, { uid, before, ...options }: HolderOptions): Running {
  const { ipcFile = "naught.ipc", pidFile = "naught.pid", removeOldIpc = false } = options;
  const paths = { ipcFile: naught.path(ipcFile), pidFile: naught.path(pidFile), removeOldIpc };
  const settings: LaunchOptions = { cwd: naught.dir, env: naught.env, ...(uid === undefined ? {} : { uid }) };
  const args = [program, JSON.stringify({ ...options, ...paths })];
  if (before === undefined) return launch(process.execPath, args, settings);
  return launch("/bin/sh", ["-c", `${before}; exec "$0" "$@"`, process.execPath, ...args], settings);
}

export async function hold(naught: Naught, options: HolderOptions = {}): Promise<Held> {
  const running = run(naught, options);
  await running.said("stdout", /^opened/m);
  return {
    pid: running.pid,
    async close() {
      running.signal("SIGTERM");
      assert.equal((await running.finished).code, 0);
    },
    async kill() {
      running.signal("SIGKILL");
      await running.finished;
    },
  };
}

/** What the one who tries to have the files is told, and that this leaves everything as it was. */
export async function assertRefused(
  naught: Naught,
  expected: RegExp,
  options: HolderOptions = {},
): Promise<void> {
  const before = list(naught);
  const { stdout, stderr } = await run(naught, options).finished;
  assert.match(stdout || stderr, expected);
  assert.deepEqual(list(naught), before);
}

/** Everything in the test's directory, with its kind. */
export function list(naught: Naught): string[] {
  return readdirSync(naught.dir, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath ?? entry.path, entry.name);
      const { ino, size } = lstatSync(path);
      return `${path.slice(naught.dir.length + 1)} ${entry.isSocket() ? "socket" : ""}${ino} ${size}`;
    })
    .sort();
}

export function names(naught: Naught): string[] {
  return readdirSync(naught.dir).sort();
}

export function mode(naught: Naught, name: string): string {
  return (lstatSync(naught.path(name)).mode & 0o777).toString(8);
}

/** The start time of a process, as the record of an owner has it. */
export function readStartTime(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
}

/** What the one who listens at the path answers. */
export function ask(path: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(path, () => socket.write("?"));
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    socket.on("close", () => resolve(text));
  });
}
