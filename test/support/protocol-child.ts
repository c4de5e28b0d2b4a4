/** A child process that plays one part in the tests of the process channel; its argument says which. */
import type { Socket } from "node:net";
import { openChannel } from "../../src/protocol/channel.js";
import { contract, type Handlers } from "../../src/protocol/contract.js";
import { Host, Master } from "../../src/protocol/master.js";
import { connect } from "../../src/protocol/peer.js";
import { Supervisor } from "../../src/protocol/worker.js";

const nobody = contract("nobody", {});

const parts: Record<string, () => void> = {
  host() {
    const handlers = {
      output: (_: unknown, { handle }: { handle: unknown }) =>
        new Promise((resolve) => (handle as Socket).end("hello from the child", () => resolve({}))),
    };
    connect(openChannel(process), Host, handlers as unknown as Handlers<typeof Host>, nobody);
  },
  garbage() {
    const send = (message: unknown) => process.send?.(message);
    send("online");
    for (const rpc of [
      undefined,
      null,
      7,
      "x",
      [],
      {},
      { jsonrpc: "2.0", id: {}, method: "supervisor/offline" },
    ]) {
      send({ naught: 1, rpc });
    }
    send({ naught: 1, rpc: { jsonrpc: "2.0", method: "$/cancelRequest" } });
    send({ naught: 1, rpc: { jsonrpc: "2.0", id: 99, result: {} } });
    send({ jsonrpc: "2.0", id: 1, method: "supervisor/offline" });
    const { client } = connect(openChannel(process), nobody, {}, Supervisor);
    client.online({}).then(() => process.exit(0));
  },
  silent() {
    process.on("message", () => {});
    process.send?.("ready");
  },
  "last-words"() {
    const channel = openChannel(process);
    const handlers = {
      stop() {
        setImmediate(() => channel.close());
        return {};
      },
    };
    connect(channel, Master, handlers as unknown as Handlers<typeof Master>, nobody);
  },
};

parts[process.argv[2] ?? ""]?.();
