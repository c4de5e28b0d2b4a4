/** `naught logs` */
import type { Client } from "../../protocol/contract.js";
import type { Daemon } from "../../protocol/daemon.js";
import type { LogsPage, ReadLogs } from "../../protocol/types.js";
import { callDaemon } from "./call.js";
import { createLineFilter, type LineFilter } from "./line-filter.js";
import { openPaper, type Paper } from "./paper.js";
import type { InvocationOf } from "./parse.js";
import { notLogged, printError, unknownWorker } from "./print.js";
import type { Terminal } from "./terminal.js";

type Options = InvocationOf<"logs">["options"];
type LogName = NonNullable<ReadLogs["log"]>;
type DaemonClient = Client<typeof Daemon>;

const usualLines = 20;
/** Seconds for which the daemon waits for more before it answers. */
const patience = 20;
/** Bytes in a page. */
const pageSize = 262_144;

export function runLogs(invocation: InvocationOf<"logs">, terminal: Terminal): Promise<number> {
  const { command, options, operand: ipcFile } = invocation;
  return callDaemon({ command, options, ipcFile, terminal, absent: 1 }, async ({ client }) => {
    const paper = openPaper(process.stdout);
    const chosen = (["stdout", "stderr", "naught"] as const).filter((name) => options[name]);
    const found = await openLogs(client, chosen.length > 0 ? chosen : ["stdout", "stderr"], options);
    if (found.length === 0) {
      terminal.err(printError(command, notLogged));
      return 1;
    }
    const titled = found.length > 1;
    const readings = found.map(({ log, first }) => {
      const filter = createLineFilter(options);
      return { filter, read: () => read(client, { log, first, filter, paper, titled }, options.follow) };
    });
    if (options.follow) await Promise.all(readings.map(({ read: start }) => start()));
    else for (const { read: start } of readings) await start();
    if (options.worker === undefined || readings.some(({ filter }) => filter.knowsWorkers)) return 0;
    if (paper.isGone || !readings.some(({ filter }) => filter.hasSeenLines)) return 0;
    terminal.err(printError(command, unknownWorker));
    return 1;
  });
}

interface Found {
  readonly log: LogName;
  readonly first: LogsPage;
}

/** Both outputs may go to one file, which is shown once. */
async function openLogs(
  client: DaemonClient,
  names: readonly LogName[],
  { lines, since }: Options,
): Promise<Found[]> {
  const found: Found[] = [];
  for (const log of names) {
    const from = since === undefined ? (lines === undefined ? usualLines : lines) : null;
    const first = await client.logs({
      log,
      size: pageSize,
      ...(from === null ? {} : { lines: from }),
      ...(since === undefined ? {} : { since: new Date(Date.now() - since * 1000).toISOString() }),
    });
    if (first.path !== undefined && !found.some((other) => other.first.path === first.path)) {
      found.push({ log, first });
    }
  }
  return found;
}

interface Reading extends Found {
  readonly filter: LineFilter;
  readonly paper: Paper;
  readonly titled: boolean;
}

async function read(
  client: DaemonClient,
  { log, first, filter, paper, titled }: Reading,
  follow: boolean,
): Promise<void> {
  let page = first;
  while (!paper.isGone) {
    const bytes =
      page.base64 === undefined ? Buffer.from(page.text ?? "") : Buffer.from(page.base64, "base64");
    const kept = filter.pass(bytes);
    if (kept.length > 0) await paper.print(kept, titled ? page.path : undefined);
    if (page.over || (page.end && !follow)) return;
    const next = client.logs({
      log,
      cursor: page.cursor,
      size: pageSize,
      ...(follow ? { wait: patience } : {}),
    });
    const answer = await Promise.race([next, paper.gone]);
    if (answer === undefined) return void next.catch(() => {});
    page = answer;
  }
}
