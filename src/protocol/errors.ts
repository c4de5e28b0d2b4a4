/** Every error that naught itself answers with: one table of names, codes, words and exit statuses. */

/** `code` is what JSON-RPC carries: positive, never reused; `exit` is the status of the command that met it. */
export const errorTable = {
  AlreadyRunning: { code: 1, exit: 1, words: "a server is already running on this ipc file" },
  DeployInProgress: { code: 2, exit: 1, words: "a deploy is already in progress" },
  NoDeployInProgress: { code: 3, exit: 1, words: "no deploy in progress" },
  StillBooting: { code: 4, exit: 1, words: "the server is still booting; wait for it to be online" },
  ShuttingDown: { code: 5, exit: 1, words: "the server is shutting down" },
  NotStarted: { code: 6, exit: 1, words: "the daemon has not been told to start a server" },
  ScriptNotFound: { code: 7, exit: 1, words: "the script cannot be used" },
  DirectoryNotFound: { code: 8, exit: 1, words: "the working directory cannot be used" },
  StaleIpc: { code: 9, exit: 1, words: "nobody answers on the ipc file" },
  IpcNotSocket: { code: 10, exit: 1, words: "the ipc file is not a socket" },
  CannotWrite: { code: 11, exit: 1, words: "a file cannot be written" },
  UnknownDeploy: { code: 12, exit: 1, words: "no such deploy" },
  NotAllowed: { code: 13, exit: 1, words: "the method is not served on this connection" },
  MasterLost: { code: 14, exit: 1, words: "the master process died" },
  Lost: { code: 15, exit: 1, words: "the connection was lost before the answer came" },
  OlderPeer: { code: 16, exit: 1, words: "the running daemon is older and does not know this method" },
  InvalidAnswer: { code: 17, exit: 1, words: "the answer has a shape that this version does not understand" },
  BadLaunch: { code: 18, exit: 1, words: "the server cannot be started like that" },
  UnknownCursor: { code: 50, exit: 1, words: "the cursor is none that a page of a log came with" },
  Busy: {
    code: 40,
    exit: 1,
    words: "the daemon has as many connections, or holds as much for them, as it may",
  },
  NotRunning: { code: 30, exit: 1, words: "no server is running on the ipc file" },
  Unreachable: { code: 31, exit: 1, words: "the daemon, or its host, cannot be reached" },
} as const;

/** The errors of JSON-RPC itself, which a client meets when it, or naught, does not keep to the protocol. */
export const protocolErrorTable = {
  ParseError: { code: -32700, words: "the message is not UTF-8 or not JSON" },
  InvalidRequest: {
    code: -32600,
    words: "the message is no JSON-RPC 2.0 message, breaks a limit, or is not framed",
  },
  MethodNotFound: {
    code: -32601,
    words: "the method is unknown: a client is newer than its daemon, or wrong",
  },
  InvalidParams: {
    code: -32602,
    words: "the parameters do not fit; `data` names each path and what was expected there",
  },
  InternalError: { code: -32603, words: "naught has a bug" },
} as const;

export type ErrorName = keyof typeof errorTable;

/** A request that was refused, or could not be done. What a carried-out command led to is a result, not an error. */
export class NaughtError extends Error {
  override readonly name = "NaughtError";
  readonly kind: ErrorName;
  readonly data: unknown;

  constructor(kind: ErrorName, message: string = errorTable[kind].words, data?: unknown) {
    super(message);
    this.kind = kind;
    this.data = data;
  }

  get code(): number {
    return errorTable[this.kind].code;
  }
}

/** The error that a code on the wire stands for; undefined for JSON-RPC's own codes and those of a newer naught. */
export function findErrorName(code: number): ErrorName | undefined {
  return (Object.keys(errorTable) as ErrorName[]).find((name) => errorTable[name].code === code);
}
