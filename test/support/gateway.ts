/** A way to another host that can be cut, or that stops carrying anything without telling anybody. */
import { connect, createServer, type Socket } from "node:net";
import type { Naught } from "./naught.js";
import { ownAddress } from "./temp.js";

export interface Gateway {
  readonly host: string;
  readonly port: number;
  /** Every connection breaks. */
  cut(): void;
  /** From now on nothing passes, in either direction; connections stay open. */
  freeze(): void;
}

export async function openGateway(
  naught: Naught,
  to: { readonly host: string; readonly port: number },
): Promise<Gateway> {
  const host = ownAddress();
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((near) => {
    const far = connect(to.port, to.host);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => frozen || into.write(chunk));
      from.on("end", () => frozen || into.end());
      from.on("error", () => into.destroy());
    }
  });
  await new Promise<void>((done) => server.listen(to.port, host, done));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  naught.defer(() => {
    cut();
    server.close();
  });
  return {
    host,
    port: to.port,
    cut,
    freeze: () => {
      frozen = true;
    },
  };
}
