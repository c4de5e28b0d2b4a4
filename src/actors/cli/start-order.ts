/** What `naught start` asks of a daemon, made of what was typed. */
import { accessSync, constants, statSync } from "node:fs";
import { resolve } from "node:path";
import type { Start } from "../../protocol/types.js";
import { cleanEnvironment } from "../environment.js";
import { CannotStart } from "./cannot-start.js";
import { findGroup } from "./group.js";
import { buildLimits } from "./limit-options.js";
import type { InvocationOf } from "./parse.js";
import { resolveIpcFile, resolveLogFile } from "./paths.js";
import { UsageError } from "./usage-error.js";

type StartInvocation = Pick<InvocationOf<"start">, "options" | "operand" | "tail">;

/** Throws a UsageError for options that do not go together. Without `listenFds`, which are not looked for in here. */
export function buildStart(
  { options, operand, tail }: StartInvocation,
  environment: NodeJS.ProcessEnv,
): Start {
  const daemonMode = options["daemon-mode"];
  const logs = {
    log: resolveLogFile(options.log),
    stdout: resolveLogFile(options.stdout),
    stderr: resolveLogFile(options.stderr),
    maxSize: options["max-log-size"],
    ...(options["max-log-files"] === null ? {} : { maxFiles: options["max-log-files"] }),
    ...(options["max-log-total"] === null ? {} : { maxTotal: options["max-log-total"] }),
    lines: { prefix: options["log-prefix"], format: options["log-format"] },
    own: options["naught-log-format"],
  };
  for (const name of ["log", "stdout", "stderr"] as const) {
    if (daemonMode && logs[name] === "-") throw new UsageError(`--${name} - needs --daemon-mode false`);
  }
  return {
    ipcFile: resolveIpcFile(options["ipc-file"]),
    pidFile: resolve(options["pid-file"]),
    logs,
    workerCount: options["worker-count"],
    daemonMode,
    removeOldIpc: options["remove-old-ipc"],
    launch: {
      script: resolve(operand ?? ""),
      args: [...(tail ?? [])],
      nodeArgs: options["node-args"],
      env: cleanEnvironment(environment),
      cwd: resolve(options.cwd),
      ...buildLimits(options),
    },
    drain: {
      grace: options["drain-grace"],
      timeout: options["drain-timeout"],
      ...(options["shutdown-timeout"] === null ? {} : { kill: options["shutdown-timeout"] }),
    },
    listenFds: [],
    ...readAccess(options),
    balance: options.balance,
  };
}

function readAccess({
  "ipc-mode": mode,
  "ipc-group": group,
}: StartInvocation["options"]): Pick<Start, "ipcMode" | "ipcGroup"> {
  return {
    ...(mode !== undefined && { ipcMode: mode }),
    ...(group !== undefined && { ipcGroup: findGroup(group) }),
  };
}

/** Spawning in a directory that is not there fails as if the program were missing, so it is looked at first. */
export function checkDirectory(path: string): void {
  try {
    if (!statSync(path).isDirectory()) throw new CannotStart(`--cwd ${path} is not a directory`);
    accessSync(path, constants.X_OK);
  } catch (error) {
    if (error instanceof CannotStart) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw new CannotStart(`--cwd ${path} does not exist`);
    throw new CannotStart(`--cwd ${path} cannot be used: ${message}`);
  }
}
