/**
 * The way to the service manager's socket. Node has no unix datagrams: they are sent through koffi, from this very
 * process, or by the program systemd-notify. Owns the messages that wait; never blocks, and never throws.
 */
import { loadKoffi } from "../koffi.js";
import { openDatagrams } from "./datagram.js";
import { explain } from "./launch.js";
import { runNotifyProgram } from "./notify-program.js";

export interface NotifySocket {
  send(lines: readonly string[]): void;
  /** Resolves when everything is sent, or the milliseconds are over. */
  close(patience: number): Promise<void>;
}

/** Tries once. `busy`: it may work a little later. Rejects with an error that says why it cannot be done. */
export type Deliver = (text: readonly string[]) => Promise<"sent" | "busy">;

/** Milliseconds until the next try when the manager is behind with its reading. */
const pause = 50;

export function openNotifySocket(address: string, report: (line: string) => void): NotifySocket {
  const deliver = chooseWay(address);
  const waiting: (readonly string[])[] = [];
  const idle: (() => void)[] = [];
  let busy = false;
  let failure = "";

  async function run(): Promise<void> {
    busy = true;
    for (let next = waiting[0]; next; next = waiting[0]) {
      // Out of reach of whatever supersedes those that wait.
      waiting.shift();
      if ((await attempt(next)) === "sent") continue;
      waiting.unshift(next);
      await new Promise((resolve) => setTimeout(resolve, pause).unref());
    }
    busy = false;
    for (const resolve of idle.splice(0)) resolve();
  }

  async function attempt(lines: readonly string[]): Promise<"sent" | "busy"> {
    try {
      const outcome = await deliver(lines);
      if (outcome === "sent") failure = "";
      return outcome;
    } catch (error) {
      const why = explain(error);
      // The next message will fare the same.
      if (why !== failure) report(`cannot tell the service manager (${address}): ${why}`);
      failure = why;
      return "sent";
    }
  }

  return {
    send(lines) {
      supersede(waiting, lines);
      waiting.push(lines);
      if (!busy) void run();
    },
    close: (patience) =>
      new Promise((resolve) => {
        if (!busy) return resolve();
        idle.push(resolve);
        setTimeout(resolve, patience);
      }),
  };
}

function chooseWay(address: string): Deliver {
  // systemd knows addresses of other families, too, of virtual machines.
  const koffi = /^[/@]/.test(address) ? loadKoffi() : undefined;
  try {
    if (koffi) return openDatagrams(koffi, address);
  } catch {
    // A C library without these functions by these names.
  }
  return (lines) => runNotifyProgram(address, lines);
}

/** Drops what is out of date before it is sent: many workers make many status lines. */
export function supersede(waiting: (readonly string[])[], lines: readonly string[]): void {
  const names = new Set(lines.map(nameOf));
  const isOutdated = (earlier: readonly string[]): boolean =>
    earlier.every((line) => passing.has(nameOf(line)) && names.has(nameOf(line)));
  for (let at = waiting.length - 1; at >= 0; at -= 1) {
    if (isOutdated(waiting[at] ?? [])) waiting.splice(at, 1);
  }
}

const passing: ReadonlySet<string> = new Set(["STATUS", "WATCHDOG"]);

function nameOf(line: string): string {
  return line.slice(0, line.indexOf("="));
}
