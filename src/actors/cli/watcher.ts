/** What a command prints of what the daemon tells it while its call is in flight. */
import type { Handlers } from "../../protocol/contract.js";
import type { EventName, NaughtEvent, Notice } from "../../protocol/types.js";
import type { Watcher } from "../../protocol/watcher.js";
import { printEvent, printWaiting } from "./print.js";
import type { Terminal } from "./terminal.js";

export interface WatcherOptions {
  /** False: events are left to the log. */
  readonly printEvents?: boolean;
  readonly onEvent?: (event: NaughtEvent) => void;
  readonly onNotice?: (notice: Notice) => void;
}

/** The results of the commands say the same in their own words. */
const unprinted: readonly EventName[] = ["Ready", "Shutdown", "DeployFailed", "Status"];

export function createWatcher(terminal: Terminal, options: WatcherOptions = {}): Handlers<typeof Watcher> {
  const { printEvents = true, onEvent, onNotice } = options;
  let last = 0;
  return {
    event(event) {
      // Whoever watches and has a call in flight may be told twice.
      if (event.sequence <= last) return;
      last = event.sequence;
      if (printEvents && !unprinted.includes(event.name)) terminal.err(printEvent(event));
      onEvent?.(event);
    },
    waiting({ workers }) {
      for (const line of printWaiting(workers)) terminal.err(line);
    },
    notice(notice) {
      onNotice?.(notice);
    },
  };
}
