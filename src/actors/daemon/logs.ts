/** The daemon's logs: naught's own, and the two that all workers write to. Owns the open ones. */
import { NaughtError } from "../../protocol/errors.js";
import type { LogFiles, LogInfo, NaughtEvent } from "../../protocol/types.js";
import { formatOwnEvent, formatOwnLine } from "./format.js";
import { gatherLines } from "./gathered-lines.js";
import { type Log, openLog, streamLog } from "./log.js";
import { createLogReader, type LogReader } from "./log-reader.js";
import { createOutputs, type Outputs } from "./output.js";

export interface Logs {
  readonly outputs: Outputs;
  readonly naught: { write(line: string): void };
  /** Writes to naught's own log a line about an event, or one more about the same. */
  tell(line: string, event: NaughtEvent | "more" | undefined): void;
  readonly reader: LogReader;
  /** Opens all files anew. */
  reopen(): Promise<void>;
  /** What the files are, and what is wrong with them. */
  report(): LogInfo[];
  /** Resolves when everything is on disk; pipes that are held open are waited for `patience` milliseconds. */
  close(patience: number): Promise<void>;
}

/** Throws CannotWrite. Two streams may go to one file. */
export async function openLogs(
  { log, stdout, stderr, maxSize, maxFiles, maxTotal, lines, own = "text" }: LogFiles,
  daemonMode: boolean,
): Promise<Logs> {
  const open = new Map<string, Log>();
  const reader = createLogReader({ log, stdout, stderr });
  const gathered = gatherLines((text) => naught?.write(Buffer.from(text)));
  const report = (line: string): void => gathered.write(own === "json" ? formatOwnLine(line) : line);
  const tell: Logs["tell"] = (line, event) => {
    if (event === undefined) return report(line);
    if (own === "json" && event === "more") return;
    // A client may ask for the status a thousand times a second.
    const isPatient = event !== "more" && event.name === "Status";
    gathered.write(own === "json" && event !== "more" ? formatOwnEvent(event) : line, isPatient);
  };
  const add = async (path: string, own: NodeJS.WritableStream): Promise<Log> => {
    if (path === "-" && daemonMode) {
      throw new NaughtError(
        "BadLaunch",
        "a log can be '-' only with --daemon-mode false: a daemon has no stream of its own",
      );
    }
    const key = path === "-" ? (own === process.stdout ? "-1" : "-2") : path;
    const existing = open.get(key);
    if (existing) return existing;
    const added = path === "-" ? streamLog(own) : await openFile(path);
    open.set(key, added);
    return added;
  };
  const openFile = (path: string): Promise<Log> =>
    openLog({ path, maxSize, maxFiles, maxTotal, onError: (error) => report(error.message) }).catch(
      (error: Error) => {
        throw new NaughtError("CannotWrite", error.message);
      },
    );
  let naught: Log | undefined;
  try {
    naught = await add(log, process.stderr);
    const outputs = createOutputs(
      { stdout: await add(stdout, process.stdout), stderr: await add(stderr, process.stderr) },
      report,
      lines,
    );
    return {
      outputs,
      reader,
      naught: { write: report },
      tell,
      async reopen() {
        await Promise.all([...open.values()].map((each) => each.reopen()));
      },
      report: () => [...open.values()].flatMap((each) => each.report() ?? []),
      async close(patience) {
        await outputs.close(patience);
        gathered.flush();
        await Promise.all([...open.values()].map((each) => each.close()));
        await reader.close();
      },
    };
  } catch (error) {
    await Promise.all([...open.values()].map((each) => each.close()));
    throw error;
  }
}
