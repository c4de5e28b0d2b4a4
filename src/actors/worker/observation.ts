/** The observation of servers: whatever any `net.Server` of this process emits is seen here before its listeners. */
import { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { Server, type Socket } from "node:net";

export interface Observer {
  listening(server: Server): void;
  closed(server: Server): void;
  connected(server: Server, socket: Socket): void;
  secured(server: Server, socket: Socket): void;
  requested(server: Server, request: IncomingMessage, response: ServerResponse): Delivery;
  upgraded(request: IncomingMessage): void;
  begun(session: ServerHttp2Session): void;
  opened(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
}

/** When the application gets a request: `later` is when all that came in the same packet was parsed. */
export type Delivery = "now" | "later" | "never";

/**
 * Overrides `emit`, because a listener can be removed by the application (`removeAllListeners`), and listeners of
 * `upgrade`, `connect` and `checkContinue` change what Node does. http, https and http2 servers inherit it.
 */
export function observeServers(observer: Observer): void {
  Server.prototype.emit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    const delivery = tell(observer, this, event, args);
    if (delivery === "now") return pass(this, event, args);
    if (delivery === "later") process.nextTick(pass, this, event, args);
    return true;
  } as Server["emit"];
}

function tell(observer: Observer, server: Server, event: string | symbol, args: unknown[]): Delivery {
  try {
    switch (event) {
      case "request":
      case "checkContinue":
      case "checkExpectation":
        return observer.requested(server, args[0] as IncomingMessage, args[1] as ServerResponse);
      case "connection":
        observer.connected(server, args[0] as Socket);
        break;
      case "secureConnection":
        observer.secured(server, args[0] as Socket);
        break;
      case "upgrade":
      case "connect":
        observer.upgraded(args[0] as IncomingMessage);
        break;
      case "session":
        observer.begun(args[0] as ServerHttp2Session);
        break;
      case "stream":
        observer.opened(args[0] as ServerHttp2Stream, args[1] as IncomingHttpHeaders);
        break;
      case "listening":
        observer.listening(server);
        break;
      case "close":
        observer.closed(server);
    }
  } catch {
    // An application may emit anything under these names; what is not ours to understand passes.
  }
  return "now";
}

/** Looked up each time, because `node:domain` replaces it when it is loaded. */
function pass(server: Server, event: string | symbol, args: unknown[]): boolean {
  return EventEmitter.prototype.emit.call(server, event, ...args);
}
