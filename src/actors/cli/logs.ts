/** `naught logs` */

import type { DaemonPeer } from "../../client/reach.js";
import type { LogsPage, ReadLogs } from "../../protocol/types.js";
import { callDaemon } from "./call.js";
import { createLineFilter, type LineFilter } from "./line-filter.js";
import { openPaper, type Paper } from "./paper.js";
import type { InvocationOf } from "./parse.js";
import { notLogged, printError, unknownWorker } from "./print.js";
import type { Terminal } from "./terminal.js";

type Options = InvocationOf<"logs">["options"];
type LogName = NonNullable<ReadLogs["log"]>;

const usualLines = 20;
/** Seconds for which the daemon waits for more before it answers. */
const patience = 20;
/** Bytes in a page. */
const pageSize = 262_144;

export function runLogs(invocation: InvocationOf<"logs">, terminal: Terminal): Promise<number> {
  const { command, options, operand: ipcFile } = invocation;
  const paper = openPaper(process.stdout);
  let readings: readonly Reading[] = [];
  return callDaemon({ command, options, ipcFile, terminal, absent: 1, resumes: true }, async (peer) => {
    if (readings.length === 0) readings = await openLogs(peer.client, options);
    if (readings.length === 0) {
      terminal.err(printError(command, notLogged));
      return 1;
    }
    const style: Style = { paper, titled: readings.length > 1, isFollowing: options.follow };
    if (options.follow) await follow(peer, readings, style);
    else for (const reading of readings) await read(peer.client, reading, style);
    if (options.worker === undefined || readings.some(({ filter }) => filter.knowsWorkers)) return 0;
    if (paper.isGone || !readings.some(({ filter }) => filter.hasSeenLines)) return 0;
    terminal.err(printError(command, unknownWorker));
    return 1;
  });
}

/** How far one log has been read, by whichever daemon there was. */
interface Reading {
  readonly log: LogName;
  readonly filter: LineFilter;
  page: LogsPage;
  isPrinted: boolean;
}

interface Style {
  readonly paper: Paper;
  readonly titled: boolean;
  readonly isFollowing: boolean;
}

/** Both outputs may go to one file, which is shown once. */
async function openLogs(client: DaemonPeer["client"], options: Options): Promise<Reading[]> {
  const { lines = usualLines, since } = options;
  const chosen = (["stdout", "stderr", "naught"] as const).filter((name) => options[name]);
  const from = since === undefined ? lines : null;
  const found: Reading[] = [];
  for (const log of chosen.length > 0 ? chosen : (["stdout", "stderr"] as const)) {
    const page = await client.logs({
      log,
      size: pageSize,
      ...(from === null ? {} : { lines: from }),
      ...(since === undefined ? {} : { since: new Date(Date.now() - since * 1000).toISOString() }),
    });
    if (page.path === undefined || found.some((other) => other.page.path === page.path)) continue;
    found.push({ log, page, filter: createLineFilter(options), isPrinted: false });
  }
  return found;
}

/** One that fails ends the others: none may still be at work when all are begun anew. */
async function follow(peer: DaemonPeer, readings: readonly Reading[], style: Style): Promise<void> {
  const failures: unknown[] = [];
  const fail = (error: unknown): void => {
    failures.push(error);
    peer.close();
  };
  await Promise.all(readings.map((reading) => read(peer.client, reading, style).catch(fail)));
  if (failures.length > 0) throw failures[0];
}

async function read(
  client: DaemonPeer["client"],
  reading: Reading,
  { paper, titled, isFollowing }: Style,
): Promise<void> {
  while (!paper.isGone) {
    const { page } = reading;
    if (!reading.isPrinted) {
      const kept = reading.filter.pass(readBytes(page));
      reading.isPrinted = true;
      if (kept.length > 0) await paper.print(kept, titled ? page.path : undefined);
    }
    if (page.over || (page.end && !isFollowing)) return;
    const next = client.logs({
      log: reading.log,
      cursor: page.cursor,
      size: pageSize,
      ...(isFollowing ? { wait: patience } : {}),
    });
    const answer = await Promise.race([next, paper.gone]);
    if (answer === undefined) return void next.catch(() => {});
    reading.page = answer;
    reading.isPrinted = false;
  }
}

function readBytes({ text = "", base64 }: LogsPage): Buffer {
  return base64 === undefined ? Buffer.from(text) : Buffer.from(base64, "base64");
}
