/** The daemon's logs: naught's own, and the two that all workers write to. Owns the open ones. */
import { NaughtError } from "../../protocol/errors.js";
import type { LogFiles } from "../../protocol/types.js";
import { type GatheredLines, gatherLines } from "./gathered-lines.js";
import { type Log, openLog, streamLog } from "./log.js";
import { createOutputs, type Outputs } from "./output.js";

export interface Logs {
  readonly outputs: Outputs;
  readonly naught: Pick<GatheredLines, "write">;
  /** Resolves when everything is on disk; pipes that are held open are waited for `patience` milliseconds. */
  close(patience: number): Promise<void>;
}

/** Throws CannotWrite. Two streams may go to one file. */
export async function openLogs(
  { log, stdout, stderr, maxSize }: LogFiles,
  daemonMode: boolean,
): Promise<Logs> {
  const open = new Map<string, Log>();
  const lines = gatherLines((text) => naught?.write(Buffer.from(text)));
  const report = (line: string): void => lines.write(line);
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
    openLog({ path, maxSize, onError: (error) => report(error.message) }).catch((error: Error) => {
      throw new NaughtError("CannotWrite", error.message);
    });
  let naught: Log | undefined;
  try {
    naught = await add(log, process.stderr);
    const outputs = createOutputs(
      { stdout: await add(stdout, process.stdout), stderr: await add(stderr, process.stderr) },
      report,
    );
    return {
      outputs,
      naught: lines,
      async close(patience) {
        await outputs.close(patience);
        lines.flush();
        await Promise.all([...open.values()].map((each) => each.close()));
      },
    };
  } catch (error) {
    await Promise.all([...open.values()].map((each) => each.close()));
    throw error;
  }
}
