/** The worker actor: naught inside the user's process. Gives the app the manual's three plain words, and drains its servers. */
import cluster from "node:cluster";
import { type ChannelEnd, isWrapped, openChannel } from "../../protocol/channel.js";
import { connect } from "../../protocol/peer.js";
import type { DrainTimes } from "../../protocol/types.js";
import { Supervisor, Worker } from "../../protocol/worker.js";
import { beforeChannelEnds, type SocketHandle } from "../node-internals.js";
import { keepLastWords } from "./last-words.js";
import { holdLifeline } from "./lifeline.js";
import { listenThroughSupervisor } from "./listen.js";
import { isBornInspected, takePulse } from "./pulse.js";
import { trackServers } from "./servers.js";
import { outliveMaster, type Stranding } from "./stranded.js";

/** Called once, before any of the app's code. */
export function serveWorker(): void {
  keepLastWords();
  const servers = trackServers();
  const stranding = outliveMaster();
  let wasTold = false;
  let isLeaving = false;
  // By the master, or, when that is gone, by the daemon.
  const leave = async (times: DrainTimes): Promise<void> => {
    await servers.drain(times);
    if (wasTold) return;
    wasTold = true;
    await deliverShutdown();
    // From now on a process with nothing left to do ends by itself, while the app may still send.
    process.channel?.unref();
    stranding.release();
  };
  const supervisor = connect(
    openChannel(hideChannel(), () => {}),
    Worker,
    {
      async shutdown(times) {
        await leave(times);
        return {};
      },
      serve() {
        listening.serve();
        return {};
      },
      ping: takePulse,
      adopt({ own, key }, { handle }) {
        if (handle) listening.adopt(own, key, handle as SocketHandle);
        return {};
      },
      disown: ({ key }) => listening.disown(key),
      hold({ key }, { handle }) {
        if (handle) listening.hold(key, handle as SocketHandle);
        return {};
      },
      release({ key }) {
        listening.release(key);
        return {};
      },
    },
    Supervisor,
  ).client;
  const declare = (word: "online" | "offline", callback?: (error: Error | null) => void): void => {
    // Whoever says so may close his servers in the same breath.
    if (word === "offline") servers.hold();
    const told =
      word === "online" ? supervisor.online({ inspected: isBornInspected() }) : supervisor.offline({});
    told.then(
      () => callback?.(null),
      (error: Error) => callback?.(error),
    );
  };
  const listening = listenThroughSupervisor(supervisor);
  understandWords(declare, stranding);
  holdLifeline({
    leave(times) {
      isLeaving = true;
      leave(times);
    },
    isStranded: () => stranding.isStranded && !isLeaving,
    sockets: () => listening.list(),
  });
  leaveThroughOffline((done) => declare("offline", done));
}

// Our messages share the channel with the app's, which must never see one.
function hideChannel(): ChannelEnd {
  const { send } = process;
  let receive: ((message: unknown, handle: object | undefined) => void) | undefined;
  const emit = process.emit;
  process.emit = function (this: NodeJS.Process, name: string, ...args: unknown[]): boolean {
    if (name === "message" && isWrapped(args[0])) {
      receive?.(args[0], args[1] as object | undefined);
      return true;
    }
    return Reflect.apply(emit, this, [name, ...args]);
  } as typeof process.emit;
  return {
    send: send ? (send.bind(process) as ChannelEnd["send"]) : undefined,
    on(name: string, listener: (...args: never[]) => void) {
      if (name === "message") receive = listener as typeof receive;
      else if (name === "disconnect") process.once("disconnect", listener as () => void);
    },
  };
}

type SendCallback = (error: Error | null) => void;

/** Turns `process.send('online')` and `process.send('offline')` into calls; everything else passes untouched. */
function understandWords(
  declare: (word: "online" | "offline", callback?: SendCallback) => void,
  stranding: Stranding,
): void {
  const { send } = process;
  if (!send) return;
  process.send = ((message: unknown, ...rest: unknown[]): boolean => {
    const callback = rest.find((argument): argument is SendCallback => typeof argument === "function");
    if (message === "online" || message === "offline") {
      declare(message, callback);
      return true;
    }
    // Nobody is there to hear it, which is no reason for an application to end: without a callback Node would throw.
    if (stranding.isStranded && !callback) return false;
    return Reflect.apply(send, process, [message, ...rest]);
  }) as NonNullable<typeof process.send>;
}

/** Under naught an app that cuts itself off from its master says that it wants to go. */
function leaveThroughOffline(offline: (done?: SendCallback) => void): void {
  const { disconnect } = process;
  const leave = (): void => offline();
  let isEnding = false;
  beforeChannelEnds(() => {
    isEnding = true;
  });
  process.disconnect = () => (isEnding ? disconnect?.call(process) : leave());
  const { worker } = cluster;
  if (!worker) return;
  worker.disconnect = () => {
    leave();
    return worker;
  };
  worker.kill = leave;
  worker.destroy = leave;
}

/** Outside of any promise, so that what a listener throws is the uncaught exception that it would be without naught. */
function deliverShutdown(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(() => {
      try {
        process.emit("message", "shutdown", undefined);
      } finally {
        resolve();
      }
    });
  });
}
