/** One end of a conversation: serves one contract, calls another, and validates whatever comes in. */
import { createCallee, type PeerOptions } from "./callee.js";
import { createCaller } from "./caller.js";
import type { Client, Contract, Handle, Handlers, Methods } from "./contract.js";
import { isCall } from "./message.js";
import type { Transport } from "./transport.js";

export interface Peer<C> {
  /** Calls the far side. A call rejects with a NaughtError, `Lost` when the connection ends before the answer. */
  readonly client: Client<C>;
  /** The listener is called once, also when the connection is closed already. */
  onClose(listener: () => void): void;
  close(): void;
}

/** Begins to serve `served` on `transport` with `handlers`, and returns the client of `called`. */
export function connect<S, C>(
  transport: Transport,
  served: Contract<S>,
  handlers: Handlers<Contract<S>>,
  called: Contract<C>,
  options: PeerOptions = {},
): Peer<Contract<C>> {
  const callee = createCallee(transport, served as Contract<Methods>, handlers, options);
  const caller = createCaller(transport);
  let closed = false;
  const listeners: (() => void)[] = [];
  transport.reader.onClose(() => {
    // Not before whoever awaits the last answer has heard it, which takes microtasks.
    setImmediate(() => {
      closed = true;
      caller.loseAll();
      callee.loseAll();
      for (const listener of listeners.splice(0)) listener();
    });
  });
  transport.reader.listen((message, answer) => {
    if (isCall(message)) return callee.take(message, answer);
    caller.take(message);
    transport.reader.settle(message);
  });
  const methods = Object.entries(called.methods as Methods).map(([name, declared]) => {
    const method = `${called.actor}/${name}`;
    return [
      name,
      declared.kind === "request"
        ? (params: object, handle?: Handle) => caller.call(method, declared.result, params, handle)
        : (params: object) => transport.send({ jsonrpc: "2.0", method, params }),
    ];
  });
  return {
    client: Object.fromEntries(methods) as Client<Contract<C>>,
    onClose(listener) {
      if (closed) listener();
      else listeners.push(listener);
    },
    close: () => transport.close(),
  };
}
