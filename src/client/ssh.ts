/** One run of the system's ssh: with the user's own configuration, keys and agent, and never through a shell here. */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { Destination } from "./destination.js";
import type { SshEnd } from "./ssh-end.js";

export interface Ssh {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when it is gone, or could not be run. */
  readonly ended: Promise<SshEnd>;
  /** It has logged in: nothing of it needs to stay on the disk any more. */
  settle(): void;
  kill(): void;
}

export interface SshOptions {
  /** Seconds without a sign of life after which the link counts as broken. */
  readonly patience: number;
  /** True: ssh may ask the user at the terminal, and a Ctrl-C there ends it. False: it asks nobody, and hears of none. */
  readonly mayAsk: boolean;
}

/** `command` is for the shell over there. */
export function runSsh(destination: Destination, command: string, options: SshOptions): Ssh {
  // A folder of one's own, because ssh follows links; its words apart from those of the other host.
  const folder = mkdtempSync(join(tmpdir(), "naught-ssh-"));
  const log = join(folder, "log");
  const words = openSync(log, "wx+", 0o600);
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  const child = spawn("ssh", listArguments(destination, command, log, options), {
    stdio: ["pipe", "pipe", "pipe"],
    detached: !options.mayAsk,
  });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr = (stderr + chunk.toString("utf8")).slice(-8_192);
  });
  for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on("error", () => {});
  const ended = awaitEnd(child).then(({ code, signal, error }) => {
    const end = { code, signal, log: error ?? readFileSync(words, "utf8"), stderr };
    closeSync(words);
    remove();
    process.off("exit", remove);
    return end;
  });
  return {
    stdin: child.stdin,
    stdout: child.stdout,
    stderr: child.stderr,
    ended,
    settle: remove,
    kill: () => {
      child.kill("SIGTERM");
      setTimeout(() => child.kill("SIGKILL"), 500).unref();
    },
  };
}

function listArguments(
  destination: Destination,
  command: string,
  log: string,
  options: SshOptions,
): string[] {
  const interval = Math.max(1, Math.ceil(options.patience / 3));
  return [
    ...["-T", "-E", log, "-o", `ConnectTimeout=${Math.max(1, Math.ceil(options.patience))}`],
    ...["-o", `ServerAliveInterval=${interval}`, "-o", "ServerAliveCountMax=3"],
    ...(options.mayAsk ? [] : ["-o", "BatchMode=yes"]),
    // What the user has set up for sessions would keep the session from ending, or fail when there are two of them.
    ...["-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none", "-o", "RequestTTY=no"],
    ...(destination.port === undefined ? [] : ["-p", String(destination.port)]),
    ...["--", destination.target, command],
  ];
}

interface ChildEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly error?: string;
}

// Not `close`: a connection that ssh shares with later runs keeps stderr open. But what was said last is worth a moment.
function awaitEnd(child: ChildProcess): Promise<ChildEnd> {
  return new Promise((resolve) => {
    child.once("error", (error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? "there is no program `ssh` on this machine" : error.message;
      resolve({ code: null, signal: null, error: why });
    });
    child.once("close", (code, signal) => resolve({ code, signal }));
    child.once("exit", (code, signal) => setTimeout(() => resolve({ code, signal }), 200));
  });
}
