/** The daemon's side of the master process. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { now } from "../../clock.js";
import { openChannel } from "../../protocol/channel.js";
import type { Client } from "../../protocol/contract.js";
import { Host, Master } from "../../protocol/master.js";
import { connect, type Peer } from "../../protocol/peer.js";
import type { Start } from "../../protocol/types.js";
import { cleanMasterEnvironment } from "../environment.js";
import { describeExit, onceBoth } from "../exit.js";
import { isSameProcess, readProcess } from "../proc.js";
import { startPulse } from "../pulse.js";
import { tick, watchDeath } from "../silence.js";
import { makeMasterThrifty } from "../thrift.js";
import { inheritNothing } from "./heir.js";
import type { HostHandlers } from "./host.js";
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

/** What is told of a master. */
export interface MasterFacts {
  /** Called once, with how, as in "was killed by SIGKILL". */
  exited(how: string): void;
  report(line: string): void;
}

export function startMaster(
  start: Pick<Start, "listenFds" | "balance">,
  handlers: HostHandlers,
  facts: MasterFacts,
): MasterProcess {
  const { listenFds } = start;
  const child = spawn(
    process.execPath,
    [...makeMasterThrifty(start), join(import.meta.dirname, "master.cjs")],
    {
      // In a session of its own: a Ctrl-C in the terminal is for the daemon only.
      detached: true,
      // The daemon's directory may have been removed.
      cwd: "/",
      env: cleanMasterEnvironment(process.env),
      stdio: ["ignore", "ignore", "pipe", "ipc", ...listenFds],
    },
  );
  const peer = connect(openChannel(child), Host, { ...handlers, ...inheritNothing }, Master);
  const { exit, heard } = lookAfter(peer, child.pid ?? 0, facts);
  // What it said last may come after the news of its exit, and is to be heard first.
  const leave = onceBoth(exit, peer.onClose);
  child.stderr?.setEncoding("utf8").on("data", (text: string) => facts.report(`master: ${text.trimEnd()}`));
  child.on("exit", (code, signal) => leave(describeExit(code, signal)));
  child.on("error", (error) => {
    if (child.pid === undefined) exit(`could not be started (${explain(error)})`);
  });
  return {
    pid: child.pid ?? 0,
    client: peer.client,
    heard,
    listenFds: listenFds.map((_, index) => firstExtraFd + index),
  };
}

/** A master that has started this daemon, and is none of its children. */
export function adoptMaster(
  peer: Peer<typeof Master>,
  pid: number,
  listenFds: readonly number[],
  facts: MasterFacts,
): MasterProcess {
  const { exit, heard } = lookAfter(peer, pid, facts);
  const { startTime = "" } = readProcess(pid) ?? {};
  const kill = (): void => {
    if (isSameProcess(pid, startTime)) process.kill(pid, "SIGKILL");
  };
  // No end of the channel is told by one that died before it had acknowledged a socket.
  const isGone = watchDeath(() => isSameProcess(pid, startTime));
  const look = setInterval(() => {
    if (isGone()) leave();
  }, tick).unref();
  const leave = (): void => {
    clearInterval(look);
    // One without a channel is of no use.
    kill();
    exit("died");
  };
  peer.onClose(leave);
  return { pid, client: peer.client, heard, listenFds: [...listenFds] };
}

function lookAfter(
  peer: Peer<typeof Master>,
  pid: number,
  { exited, report }: MasterFacts,
): { exit(how: string): void; heard(): void } {
  let gone = false;
  const pulse = startPulse({
    beat: () => peer.client.beat({}),
    isStopped: () => readProcess(pid)?.state === "T",
    silent(how) {
      report(`the master process (pid ${pid}) ${how}: it is killed`);
      try {
        if (pid > 0) process.kill(pid, "SIGKILL");
      } catch {
        // It was faster.
      }
      return true;
    },
    now,
  });
  return {
    exit(how) {
      pulse.stop();
      if (!gone) exited(how);
      gone = true;
    },
    heard: pulse.heard,
  };
}

const firstExtraFd = 4;
