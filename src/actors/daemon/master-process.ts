/** The daemon's side of the master process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { openChannel } from "../../protocol/channel.js";
import type { Client, Handlers } from "../../protocol/contract.js";
import { Host, Master } from "../../protocol/master.js";
import { connect } from "../../protocol/peer.js";
import { explain } from "./launch.js";

export interface MasterProcess {
  readonly client: Client<typeof Master>;
  /** The numbers under which it has the descriptors of `listenFds`. */
  readonly listenFds: number[];
}

/** `exited` is called once, with how, as in "was killed by SIGKILL"; `complained` with what it wrote to its stderr. */
export function startMaster(
  listenFds: readonly number[],
  handlers: Handlers<typeof Host>,
  exited: (how: string) => void,
  complained: (text: string) => void,
): MasterProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, "master.cjs")], {
    // In a session of its own: a Ctrl-C in the terminal is for the daemon only.
    detached: true,
    // The daemon's directory may have been removed.
    cwd: "/",
    env: cleanOptions(process.env),
    stdio: ["ignore", "ignore", "pipe", "ipc", ...listenFds],
  });
  let gone = false;
  const leave = (how: string): void => {
    if (gone) return;
    gone = true;
    exited(how);
  };
  child.stderr?.setEncoding("utf8").on("data", complained);
  child.on("exit", (code, signal) => leave(signal ? `was killed by ${signal}` : `exited with code ${code}`));
  child.on("error", (error) => {
    if (child.pid === undefined) leave(`could not be started (${explain(error)})`);
  });
  const { client } = connect(openChannel(child), Host, handlers, Master);
  return { client, listenFds: listenFds.map((_, index) => firstExtraFd + index) };
}

const firstExtraFd = 4;

// Node's options are for the workers, and certificates would cost a process that needs none its time.
function cleanOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_EXTRA_CA_CERTS: _certificates, ...rest } = env;
  return rest;
}
