/** Makes a test of one stranger's connection, and gives that stranger what it needs to speak. */
import { test } from "node:test";
import type { Limits } from "../../src/protocol/limits.js";
import { type Frame, openWire, type Served, serve, type Wire } from "./protocol-wire.js";

type DaemonHandlers = Parameters<typeof serve>[0];
type Body = (wire: Wire, served: Served) => Promise<void>;

export function onWire(
  name: string,
  body: Body,
  handlers: DaemonHandlers = {},
  bounds: Partial<Limits> = {},
): void {
  test(name, { timeout: 20_000 }, async () => {
    const served = await serve(handlers, bounds);
    const wire = openWire(served.path);
    try {
      await body(wire, served);
    } finally {
      wire.socket.destroy();
      served.close();
    }
  });
}

export const hello = (id: unknown, rest: object = {}) => ({
  jsonrpc: "2.0",
  id,
  method: "daemon/hello",
  ...rest,
});
export const framed = (text: string | Buffer) =>
  Buffer.concat([Buffer.from(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n`), Buffer.from(text)]);
export const code = ({ id, error }: Frame) => [id, error?.code];
