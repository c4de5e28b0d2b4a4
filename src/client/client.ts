/** A client of a running daemon: every method of its contract, and what happens there. */
import type { Client as Methods } from "../protocol/contract.js";
import { Daemon } from "../protocol/daemon.js";
import { Line } from "./line.js";
import type { Client, ConnectOptions, Host } from "./types.js";

/** Connects to the daemon of an ipc file, here or on another host. Rejects with a NaughtError when there is none. */
export async function connect(target: string | Host, options: ConnectOptions = {}): Promise<Client> {
  const line = new Line(target, options);
  await line.peer();
  const names = (Object.keys(Daemon.methods) as (keyof Methods<typeof Daemon>)[]).filter(
    (name) => name !== "start",
  );
  const calls = names.map((name) => [
    name,
    (params: object = {}) => line.call(({ client }) => (client[name] as Call)(params)),
  ]);
  return { ...Object.fromEntries(calls), events: () => line.events(), close: () => line.close() } as Client;
}

type Call = (params: object) => Promise<unknown>;
