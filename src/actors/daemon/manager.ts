/** The daemon's service manager: follows the machine and tells, and shows signs of life while it is watched. */

import { findManager, notify, type Told, untold } from "./notify.js";
import { openNotifySocket } from "./notify-socket.js";
import type { Daemon, Effect } from "./state.js";

export interface ServiceManager {
  /** Looks at what a step of the machine has led to. */
  follow(turn: { readonly state: Daemon; readonly effects: readonly Effect[] }): void;
  /** Resolves when the last message is out, or cannot be brought out soon. */
  close(): Promise<void>;
}

/** Milliseconds that the last messages are waited for. */
const patience = 1_000;

/** Undefined: nobody wants to be told. `isMasterAlive` asks the master; it may be long in settling. */
export function openServiceManager(
  env: NodeJS.ProcessEnv,
  isMasterAlive: () => Promise<boolean>,
  report: (line: string) => void,
): ServiceManager | undefined {
  const manager = findManager(env, process.pid);
  if (!manager) return undefined;
  const socket = openNotifySocket(manager.address, report);
  let told: Told = untold;
  if (manager.isIndirect) socket.send([`MAINPID=${process.pid}`]);
  const watchdog =
    manager.watchdog === null
      ? undefined
      : startWatchdog(manager.watchdog, isMasterAlive, () => socket.send(["WATCHDOG=1"]));
  return {
    follow(turn) {
      const next = notify(told, turn, process.hrtime.bigint() / 1000n);
      told = next.told;
      if (next.lines.length > 0) socket.send(next.lines);
    },
    async close() {
      clearInterval(watchdog);
      await socket.close(patience);
    },
  };
}

// A master that does not answer is a reason to be restarted, too: nobody else would notice that it hangs.
function startWatchdog(
  milliseconds: number,
  isMasterAlive: () => Promise<boolean>,
  ping: () => void,
): NodeJS.Timeout {
  let asking = false;
  const ask = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    const alive = await isMasterAlive();
    asking = false;
    if (alive) ping();
  };
  return setInterval(ask, milliseconds / 2).unref();
}
