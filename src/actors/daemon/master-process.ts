/** The daemon's side of the master process. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { now } from "../../clock.js";
import { openChannel } from "../../protocol/channel.js";
import type { Client, Handlers } from "../../protocol/contract.js";
import { Host, Master } from "../../protocol/master.js";
import { connect } from "../../protocol/peer.js";
import { cleanMasterEnvironment } from "../environment.js";
import { describeExit, onceBoth } from "../exit.js";
import { readProcess } from "../proc.js";
import { startPulse } from "../pulse.js";
import { thrifty } from "../thrift.js";
import { explain } from "./launch.js";

export interface MasterProcess {
  /** 0 when it could not be started. */
  readonly pid: number;
  readonly client: Client<typeof Master>;
  /** It is there. */
  heard(): void;
  /** The numbers under which it has the descriptors of `listenFds`. */
  readonly listenFds: number[];
}

/** `exited` is called once, with how, as in "was killed by SIGKILL"; `report` with what is to be said of it. */
export function startMaster(
  listenFds: readonly number[],
  handlers: Handlers<typeof Host>,
  exited: (how: string) => void,
  report: (line: string) => void,
): MasterProcess {
  const child = spawn(process.execPath, [...thrifty, join(import.meta.dirname, "master.cjs")], {
    // In a session of its own: a Ctrl-C in the terminal is for the daemon only.
    detached: true,
    // The daemon's directory may have been removed.
    cwd: "/",
    env: cleanMasterEnvironment(process.env),
    stdio: ["ignore", "ignore", "pipe", "ipc", ...listenFds],
  });
  const peer = connect(openChannel(child), Host, handlers, Master);
  // What it said last may come after the news of its exit, and is to be heard first.
  let gone = false;
  const exit = (how: string): void => {
    pulse.stop();
    if (!gone) exited(how);
    gone = true;
  };
  const pulse = startPulse({
    beat: () => peer.client.beat({}),
    isStopped: () => readProcess(child.pid ?? 0)?.state === "T",
    silent(how) {
      report(`the master process (pid ${child.pid}) ${how}: it is killed`);
      child.kill("SIGKILL");
    },
    now,
  });
  const leave = onceBoth(exit, peer.onClose);
  child.stderr?.setEncoding("utf8").on("data", (text: string) => report(`master: ${text.trimEnd()}`));
  child.on("exit", (code, signal) => leave(describeExit(code, signal)));
  child.on("error", (error) => {
    if (child.pid === undefined) exit(`could not be started (${explain(error)})`);
  });
  return {
    pid: child.pid ?? 0,
    client: peer.client,
    heard: () => pulse.heard(),
    listenFds: listenFds.map((_, index) => firstExtraFd + index),
  };
}

const firstExtraFd = 4;
