/** The worker actor: naught inside the user's process. Gives the app the manual's three plain words, and drains its servers. */
import cluster from "node:cluster";
import { type ChannelEnd, isWrapped, openChannel } from "../../protocol/channel.js";
import { connect } from "../../protocol/peer.js";
import { Supervisor, Worker } from "../../protocol/worker.js";
import type { SocketHandle } from "../node-internals.js";
import { keepLastWords } from "./last-words.js";
import { listenThroughSupervisor } from "./listen.js";
import { trackServers } from "./servers.js";

/** Called once, before any of the app's code. */
export function serveWorker(): void {
  keepLastWords();
  const servers = trackServers();
  const supervisor = connect(
    openChannel(hideChannel(), () => {}),
    Worker,
    {
      async shutdown(times) {
        await servers.drain(times);
        process.emit("message", "shutdown", undefined);
        // From now on a process with nothing left to do ends by itself, while the app may still send.
        process.channel?.unref();
        return {};
      },
      serve() {
        listening.serve();
        return {};
      },
      adopt({ own, key }, { handle }) {
        if (handle) listening.adopt(own, key, handle as SocketHandle);
        return {};
      },
      disown: ({ key }) => listening.disown(key),
    },
    Supervisor,
  ).client;
  const declare = (word: "online" | "offline", callback?: (error: Error | null) => void): void => {
    // Whoever says so may close his servers in the same breath.
    if (word === "offline") servers.hold();
    supervisor[word]({}).then(
      () => callback?.(null),
      (error: Error) => callback?.(error),
    );
  };
  const listening = listenThroughSupervisor(supervisor);
  understandWords(declare);
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
function understandWords(declare: (word: "online" | "offline", callback?: SendCallback) => void): void {
  const { send } = process;
  if (!send) return;
  process.send = ((message: unknown, ...rest: unknown[]): boolean => {
    if (message !== "online" && message !== "offline")
      return Reflect.apply(send, process, [message, ...rest]);
    declare(
      message,
      rest.find((argument): argument is SendCallback => typeof argument === "function"),
    );
    return true;
  }) as NonNullable<typeof process.send>;
}

/** Under naught an app that cuts itself off from its master says that it wants to go. */
function leaveThroughOffline(offline: (done?: SendCallback) => void): void {
  const { disconnect } = process;
  const leave = (): void => offline();
  // Node itself calls this when the other end of the channel is gone: then there is nobody left to tell.
  process.disconnect = () => offline((error) => error && process.connected && disconnect?.call(process));
  const { worker } = cluster;
  if (!worker) return;
  worker.disconnect = () => {
    leave();
    return worker;
  };
  worker.kill = leave;
  worker.destroy = leave;
}
