/** Which host a command is for, if not for this one. */
import { type Destination, parseDestination } from "../../client/destination.js";
import { quoteProgram } from "../../client/shell.js";
import type { Host } from "../../client/types.js";
import type { RemoteValues } from "./remote-options.js";
import { UsageError } from "./usage-error.js";
import { quote } from "./words.js";

/** Where a command goes if not to this machine. */
export interface Remote {
  readonly destination: Destination;
  /** What the shell there is to run. */
  readonly command: string;
  /** Seconds without a sign of life after which the link counts as broken. */
  readonly patience: number | undefined;
  /** True: there is a person who could be asked for a passphrase. */
  readonly mayAsk: boolean;
}

/** Throws a UsageError where the environment names no host that ssh could be given. */
export function findRemote(values: RemoteValues, environment: NodeJS.ProcessEnv): Remote | undefined {
  const named = values.host ?? readHost(environment.NAUGHT_HOST);
  if (!named) return undefined;
  const program = values["remote-naught"];
  const seconds = Number(environment.NAUGHT_HOST_TIMEOUT);
  return {
    destination: named,
    command: program ? quoteProgram(program) : environment.NAUGHT_REMOTE_COMMAND || "naught",
    patience: seconds > 0 ? seconds : undefined,
    mayAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
  };
}

function readHost(text: string | undefined): Destination | undefined {
  if (!text) return undefined;
  const read = parseDestination(text);
  if (!read) throw new UsageError(`NAUGHT_HOST should be [user@]host[:port], not ${quote(text)}`);
  return read;
}

export function toHost(remote: Remote, ipcFile: string | undefined): Host {
  const { destination, ...rest } = remote;
  return { host: destination.text, ipcFile, ...rest };
}
