/** The start of a daemon that is to follow one which has died, by a master or by a worker. */
import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { openChannel } from "../protocol/channel.js";
import type { Transport } from "../protocol/transport.js";
import { describeExit } from "./exit.js";
import { thrifty } from "./thrift.js";

/** What a new daemon is born with. */
export interface Birth {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Starts a daemon that is to inherit. */
export function spawnHeir(
  { env, cwd }: Birth,
  listenFds: readonly number[],
): { child: ChildProcess; transport: Transport; ended: Promise<string> } {
  const child = spawn(process.execPath, [...thrifty, join(import.meta.dirname, "daemon.cjs"), "heir"], {
    detached: true,
    stdio: ["ignore", "ignore", "ignore", "ipc", ...listenFds],
    cwd: isDirectory(cwd) ? cwd : "/",
    env,
  });
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => child.pid === undefined && resolve(error.message));
    child.once("exit", (code, signal) => resolve(describeExit(code, signal)));
  });
  return { child, transport: openChannel(child), ended };
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
