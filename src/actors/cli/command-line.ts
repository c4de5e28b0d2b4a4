/** The command line: every command with its operands, options, defaults and words. Parsing and help derive from this table. */
import { drainChanges } from "./drain-options.js";
import type { Option } from "./option.js";
import { remoteOptions } from "./remote-options.js";
import {
  age,
  argumentList,
  balance,
  byteCount,
  byteLimit,
  fileCount,
  flag,
  hangTimeout,
  lineCount,
  linePrefix,
  memoryLimit,
  methodList,
  name,
  newWorkerCount,
  path,
  seconds,
  slot,
  socketMode,
  textOrJson,
  timeout,
  trueOrFalse,
  type ValueType,
  workerCount,
} from "./value-types.js";

/** What may follow the options: `script` is required, and all that follows it belongs to it. */
export type Operand = "script" | "ipc-file" | "command" | "none";

export interface CommandSpec {
  readonly usage: string;
  readonly summary: string;
  /** Paragraphs. */
  readonly details: readonly string[];
  readonly operand: Operand;
  /** Whether words may follow `--`, which then are passed on untouched. */
  readonly tail: boolean;
  readonly options: Readonly<Record<string, Option>>;
}

const ipcOperand = "IPC-FILE is the one that `start` created, naught.ipc unless you said otherwise.";

export const commandLine = {
  start: {
    usage: "start [options] SCRIPT [script-options]",
    summary: "Starts a server as a daemon.",
    details: [
      "Runs SCRIPT in one or more workers and ends as soon as every worker has said `online`. Everything after SCRIPT belongs to SCRIPT, also what looks like an option of naught.",
      "What the workers write to stdout and stderr goes to the files that `--stdout` and `--stderr` name, so `console.log` and friends just work; a worker's output is a pipe, so node.js writes to it asynchronously. A log that grows beyond `--max-log-size` is renamed with the current date and time, compressed, and a new one is begun. The path /dev/null disables a log.",
      "With `--daemon-mode false` the command itself is the daemon and stays in the foreground: SIGTERM and SIGINT stop the server, SIGHUP deploys. The paths of the logs may then also be `-`, which means naught's own output. Sockets that systemd passes are handed on to the workers, which find the number in LISTEN_FD; so is the socket of a LISTEN_FD that you set yourself, in either mode.",
      "The ipc-file is the socket on which the other commands reach the server. Relative paths are resolved against the directory you are in.",
    ],
    operand: "script",
    tail: false,
    options: {
      "worker-count": {
        type: workerCount,
        default: "1",
        help: "How many workers to run; `auto` means one for each processor.",
      },
      "ipc-file": { type: path, default: "naught.ipc", help: "The socket on which naught is reached." },
      "ipc-mode": {
        type: socketMode,
        unset: "600, or 660 with a group",
        help: "The permissions of that socket, in octal. Whoever may connect can run code as you.",
      },
      "ipc-group": {
        type: name,
        unset: "(yours)",
        help: "The group of that socket, by name or number. Its members can then run code as you.",
      },
      "pid-file": { type: path, default: "naught.pid", help: "Where the daemon's process id is written." },
      log: { type: path, default: "naught.log", help: "naught's own log." },
      stdout: { type: path, default: "stdout.log", help: "The log of what the workers write to stdout." },
      stderr: { type: path, default: "stderr.log", help: "The log of what the workers write to stderr." },
      "max-log-size": { type: byteCount, default: "10485760", help: "The size at which a log is rotated." },
      "max-log-files": {
        type: fileCount,
        default: "20",
        help: "How many archives of each log are kept; the oldest are removed.",
      },
      "max-log-total": {
        type: byteLimit,
        default: "none",
        help: "How many bytes the archives of each log may take together; the oldest are removed.",
      },
      "log-prefix": {
        type: linePrefix,
        default: "none",
        help: "What stands before each line of the workers: `[slot pid]`, the time, or both.",
      },
      "log-format": {
        type: textOrJson,
        default: "text",
        help: "`json`: each line of the workers becomes an object with time, worker, slot, pid, generation, stream and line.",
      },
      "naught-log-format": {
        type: textOrJson,
        default: "text",
        help: "`json`: each line of naught's own log becomes an object with its time.",
      },
      cwd: { type: path, default: ".", help: "The working directory of daemon and workers." },
      "daemon-mode": {
        type: trueOrFalse,
        default: "true",
        help: "`false`: stay in the foreground instead of starting a daemon.",
      },
      "remove-old-ipc": {
        type: trueOrFalse,
        default: "false",
        help: "`true`: remove whatever stands at the ipc-file, unless a live server answers there.",
      },
      "node-args": {
        type: argumentList,
        default: "",
        help: "Arguments for node itself, separated by spaces.",
      },
      "launchd-socket": {
        type: name,
        default: "",
        help: "The key in the Sockets dictionary of a launchd plist whose sockets the server gets (macOS, with `--daemon-mode false`).",
      },
      balance: {
        type: balance,
        default: "slots",
        help: "How connections are spread over the workers. `slots`: each worker has a queue in the kernel (on Linux, with Node 22.12 or later; elsewhere the same as `shared`). `shared`: one queue for all. `round-robin`: node:cluster hands them out, through the master.",
      },
      "drain-grace": {
        type: seconds,
        default: "10",
        help: "How long, at most, the idle keep-alive connections of a worker that goes stay open, so that a client's next request on them is not lost.",
      },
      "drain-timeout": {
        type: seconds,
        default: "30",
        help: "How long responses in flight are waited for before the server gets `shutdown`.",
      },
      "shutdown-timeout": {
        type: timeout,
        default: "none",
        help: "Kill a worker that is still there this many seconds after its server got `shutdown`.",
      },
      "hang-timeout": {
        type: hangTimeout,
        default: "30",
        help: "Replace a worker whose event loop was blocked for this long, and kill it. Never while it boots or a debugger may hold it.",
      },
      "max-memory": {
        type: memoryLimit,
        default: "none",
        help: "Replace a worker that uses more memory than this (512M, 2G): one at a time, and each is asked to go only when its replacement is online.",
      },
      ...remoteOptions,
    },
  },
  stop: {
    usage: "stop [options] [IPC-FILE]",
    summary: "Stops the server.",
    details: [
      "Sends `shutdown` to every worker and waits until all of them are gone. With a timeout, those that are left then are killed.",
      "Ctrl-C leaves the command; the stop goes on. A second `stop` joins the first, and with a timeout it shortens the wait.",
      ipcOperand,
    ],
    operand: "ipc-file",
    tail: false,
    options: {
      timeout: {
        type: timeout,
        default: "none",
        help: "After this many seconds, kill the workers that are left.",
      },
      "pid-file": {
        type: path,
        default: "naught.pid",
        help: "Accepted for scripts that were written for naught 1; the daemon knows its own.",
      },
      ...drainChanges,
      ...remoteOptions,
    },
  },
  status: {
    usage: "status [options] [IPC-FILE]",
    summary: "Says whether a server is running, and how many workers are online.",
    details: ["The exit status is 0 when a server is running, 1 when none is.", ipcOperand],
    operand: "ipc-file",
    tail: false,
    options: {
      verbose: {
        type: flag,
        default: "false",
        help: "Says more below: every worker with its age and what it costs, and for each number how often its worker was lost, the last death with its last words, and the next try.",
      },
      json: {
        type: flag,
        default: "false",
        help: "All there is to know, as one JSON document for programs.",
      },
      ...remoteOptions,
    },
  },
  deploy: {
    usage: "deploy [options] [IPC-FILE] [-- script-options]",
    summary: "Replaces every worker by one with new code, without downtime.",
    details: [
      "Starts all the new workers and waits until every one of them is online; only then the old ones are asked to go. If a new one fails, the old ones serve on as if nothing had happened.",
      "A deploy hangs when a new worker never says `online`, or an old one never ends after `shutdown`. Ctrl-C aborts it without downtime, and so does `deploy-abort`; a second Ctrl-C leaves the command while the abort goes on.",
      "Script and working directory are resolved anew at each deploy, so either may be a symbolic link that is moved to the next release. After `--` come the script's new arguments.",
      "On another host, with `--host` or through a tunnel, the workers keep their environment and directory unless `--override-env true` or `--cwd` is typed.",
      ipcOperand,
    ],
    operand: "ipc-file",
    tail: true,
    options: {
      "worker-count": {
        type: newWorkerCount,
        default: "0",
        help: "The new number of workers; 0 keeps the number, `auto` means one for each processor.",
      },
      "override-env": {
        type: trueOrFalse,
        default: "true",
        help: "Set the environment variables of this command in the new workers; those that are missing here keep their values.",
      },
      "replace-env": {
        type: trueOrFalse,
        default: "false",
        help: "`true`: variables that are missing here are removed.",
      },
      timeout: {
        type: timeout,
        default: "none",
        help: "Abort the deploy when it is not finished after this many seconds.",
      },
      cwd: {
        type: path,
        unset: ".",
        help: "The working directory of the new workers. Left out, it is the one that naught was last given, resolved anew.",
      },
      script: {
        type: path,
        unset: "(as before)",
        help: "The script of the new workers, against the directory you are in. Left out, it is the one that naught was last given, resolved anew.",
      },
      "node-args": {
        type: argumentList,
        unset: "(as before)",
        help: "Arguments for node itself, separated by spaces.",
      },
      "hang-timeout": {
        type: hangTimeout,
        unset: "(as before)",
        help: "For the new workers: how long an event loop may be blocked.",
      },
      "max-memory": {
        type: memoryLimit,
        unset: "(as before)",
        help: "For the new workers: how much memory each may use.",
      },
      ...drainChanges,
      attach: {
        type: name,
        unset: "(a new deploy)",
        help: "Begin no deploy, but wait for the one with this id and report its end; `current` is the one under way.",
      },
      ...remoteOptions,
    },
  },
  "deploy-abort": {
    usage: "deploy-abort [options] [IPC-FILE]",
    summary: "Aborts a deploy that hangs.",
    details: [
      "New workers that are still booting are killed and the old ones serve on. If the old ones are leaving already, those that are left are killed and the new ones serve. Ctrl-C in `deploy` does the same, so this command is rarely needed.",
      ipcOperand,
    ],
    operand: "ipc-file",
    tail: false,
    options: { ...remoteOptions },
  },
  logs: {
    usage: "logs [options] [IPC-FILE]",
    summary: "Shows the logs, archives included, and follows them.",
    details: [
      "Reads what the workers have written to stdout and stderr, or naught's own log, wherever the server runs. Without `--stdout`, `--stderr` or `--naught` it is both of the workers' logs, each behind a line with its path.",
      ipcOperand,
    ],
    operand: "ipc-file",
    tail: false,
    options: {
      follow: { type: flag, default: "false", short: "f", help: "Go on with what comes. Also `-f`." },
      lines: {
        type: lineCount,
        unset: "(20)",
        short: "n",
        help: "How many of the last lines; `all` for everything that is kept. Also `-n`. Left out, it is 20, or `all` with `--since`.",
      },
      stdout: { type: flag, default: "false", help: "What the workers wrote to stdout." },
      stderr: { type: flag, default: "false", help: "What the workers wrote to stderr." },
      naught: { type: flag, default: "false", help: "naught's own log." },
      since: {
        type: age,
        unset: "(any age)",
        help: "Only lines that are younger than this, as in `10m`, `2h` or `1d`; lines that do not tell their time are shown if their file was written to since then.",
      },
      worker: {
        type: slot,
        unset: "(all)",
        help: "Only lines of the worker with this number. They have to tell it: see `--log-prefix` and `--log-format`.",
      },
      ...remoteOptions,
    },
  },
  "reopen-logs": {
    usage: "reopen-logs [options] [IPC-FILE]",
    summary: "Opens the log files anew, for programs that rotate them themselves.",
    details: [
      "For logrotate's `postrotate`. SIGUSR2 to the daemon does the same, and a file that was moved or removed is noticed within a second anyway.",
      ipcOperand,
    ],
    operand: "ipc-file",
    tail: false,
    options: { ...remoteOptions },
  },
  bridge: {
    usage: "bridge [options] [IPC-FILE]",
    summary: "Connects its stdin and stdout to the daemon, for programs on other hosts.",
    details: [
      "This is what `--host` runs on the other host. As a forced command in authorized_keys, `--allow` says what the owner of a key may do: the methods named there, and `hello`; with `deploy`, also `attachDeploy`. A deploy then keeps the script, its arguments, its environment and its directory, because whoever may choose those may run any code.",
      "The exit status is 3 when no server is running, 4 when nobody answers on the ipc-file.",
      ipcOperand,
    ],
    operand: "ipc-file",
    tail: false,
    options: {
      allow: {
        type: methodList,
        unset: "(everything)",
        help: "What of the protocol is let through: methods, separated by commas, as in `status,watch,deploy`.",
      },
    },
  },
  version: {
    usage: "version",
    summary: "Prints naught's version.",
    details: [],
    operand: "none",
    tail: false,
    options: {},
  },
  help: {
    usage: "help [COMMAND]",
    summary: "Explains naught, or one of its commands.",
    details: [],
    operand: "command",
    tail: false,
    options: {},
  },
} as const satisfies Record<string, CommandSpec>;

export type CommandName = keyof typeof commandLine;

export const commandNames = Object.keys(commandLine) as CommandName[];

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(commandLine, word);
}

/** The options of one command as values; undefined stands for an option that was not given and has no default. */
export type Values<K extends CommandName> = {
  readonly [O in keyof (typeof commandLine)[K]["options"]]: ValueOf<(typeof commandLine)[K]["options"][O]>;
};

type ValueOf<O> = O extends { readonly type: ValueType<infer T>; readonly default: string }
  ? T
  : O extends { readonly type: ValueType<infer T> }
    ? T | undefined
    : never;
