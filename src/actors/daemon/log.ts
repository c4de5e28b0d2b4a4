/** A log, as whoever writes into it sees it: it takes whole lines and says when it is behind. Owns naught's own streams. */
import type { LogInfo } from "../../protocol/types.js";
import { type OpenLog, openFileLog } from "./file-log.js";

export interface Log {
  /**
   * Whole lines only. A piece that does not end its line must be followed by the rest of that line. The bytes are the
   * caller's again afterwards.
   */
  write(chunk: Buffer): void;
  /** False while the log is behind: stop reading your source. */
  readonly writable: boolean;
  /** The listener is called whenever the log has caught up. */
  onDrain(listener: () => void): void;
  /** Resolves when every byte that was written so far is in the file, or was given up. */
  flush(): Promise<void>;
  /** Opens the file anew. */
  reopen(): Promise<void>;
  /** How it is; undefined where there is no file. */
  report(): LogInfo | undefined;
  /** Resolves when every byte written is in the file. */
  close(): Promise<void>;
}

/** Opens the log at a path. `/dev/null` drops everything. */
export async function openLog(options: OpenLog): Promise<Log> {
  return options.path === "/dev/null" ? nullLog : openFileLog(options);
}

const nullLog: Log = {
  write: () => {},
  writable: true,
  onDrain: () => {},
  flush: async () => {},
  reopen: async () => {},
  report: () => undefined,
  close: async () => {},
};

/** Makes a log of naught's own stdout or stderr. The stream stays open when the log is closed. */
export function streamLog(stream: NodeJS.WritableStream): Log {
  const drained: (() => void)[] = [];
  const settled: (() => void)[] = [];
  let inFlight = 0;
  let behind = false;
  let gone = false;

  function write(chunk: Buffer): void {
    if (gone) return;
    inFlight += 1;
    behind = !stream.write(Buffer.from(chunk), settle);
  }

  function settle(): void {
    inFlight -= 1;
    if (isSettled()) for (const resolve of settled.splice(0)) resolve();
  }

  /** Node forgets the callbacks of what stdout still held when it failed. */
  function isSettled(): boolean {
    return gone || inFlight === 0;
  }

  function flush(): Promise<void> {
    return new Promise((resolve) => (isSettled() ? resolve() : void settled.push(resolve)));
  }

  function catchUp(): void {
    behind = false;
    for (const listener of drained) listener();
  }

  stream.on("drain", catchUp);
  // Without a reader there is nobody to tell: the lines are dropped, and the workers must not wait for ever.
  stream.on("error", () => {
    gone = true;
    settle();
    catchUp();
  });
  return {
    write,
    get writable() {
      return !behind;
    },
    onDrain: (listener) => void drained.push(listener),
    flush,
    reopen: async () => {},
    report: () => undefined,
    close: flush,
  };
}
