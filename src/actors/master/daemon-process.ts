/** The master's side of its daemon: the one that has started it, or one that it has started itself in the place of that. */
import { now } from "../../clock.js";
import type { Client, Handlers } from "../../protocol/contract.js";
import { Host, Master } from "../../protocol/master.js";
import { connect } from "../../protocol/peer.js";
import type { Transport } from "../../protocol/transport.js";
import { isSameProcess, readProcess } from "../proc.js";
import { type Pulse, startPulse } from "../pulse.js";
import { watchDeath } from "../silence.js";

export interface DaemonProcess {
  readonly client: Client<typeof Host>;
  /** It is there. */
  heard(): void;
  /** The channel is closed; the process is killed where it may only have been stopped. */
  end(): void;
}

/** `lost` is called once, when it is gone for certain. */
export function followDaemon(
  transport: Transport,
  pid: number,
  handlers: Handlers<typeof Master>,
  { lost, isReplaceable }: { lost(): void; isReplaceable(): boolean },
): DaemonProcess {
  const { startTime = "" } = readProcess(pid) ?? {};
  const peer = connect(transport, Master, handlers, Host);
  // No end of the channel is told by one that died before it had acknowledged a socket.
  const isGone = watchDeath(() => isSameProcess(pid, startTime));
  let isLost = false;
  const pulse: Pulse = startPulse({
    beat() {
      peer.client.beat({});
      if (isGone()) lose();
    },
    isStopped: () => isReplaceable() && readProcess(pid)?.state === "T",
    silent() {
      if (!isReplaceable()) return false;
      lose();
      return true;
    },
    now,
  });

  function lose(): void {
    if (isLost) return;
    isLost = true;
    pulse.stop();
    end();
    lost();
  }

  function end(): void {
    if (isReplaceable() && isSameProcess(pid, startTime)) kill(pid);
    transport.close();
  }

  peer.onClose(lose);
  return { client: peer.client, heard: () => pulse.heard(), end };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}
