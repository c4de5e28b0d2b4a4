/** A JSON-RPC library that others wrote, as Microsoft's editors use it, against our server: every method, both directions. */
import assert from "node:assert/strict";
import {
  CancellationTokenSource,
  createMessageConnection,
  type MessageConnection,
  ParameterStructures,
  ResponseError,
  SocketMessageReader,
  SocketMessageWriter,
} from "vscode-jsonrpc/node";
import type { CallContext } from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { NaughtError } from "../../src/protocol/errors.js";
import { onWire } from "../support/protocol-on-wire.js";
import { counts, plainHandlers, settled, type Wire } from "../support/protocol-wire.js";

const params: Readonly<Record<string, object>> = {
  lifeline: { worker: { id: 1, slot: 0, pid: 1, generation: 1 }, master: 1, token: "t" },
  start: {
    ipcFile: "/x",
    pidFile: "/y",
    logs: { log: "/dev/null", stdout: "/dev/null", stderr: "/dev/null", maxSize: 1 },
    workerCount: 1,
    daemonMode: true,
    removeOldIpc: false,
    launch: { script: "/s", args: [], nodeArgs: [], env: {}, cwd: "/" },
    drain: { grace: 1, timeout: 1 },
    listenFds: [],
  },
  attachDeploy: { deploy: "d" },
};

function converse({ socket }: Wire): MessageConnection {
  socket.removeAllListeners("data");
  const connection = createMessageConnection(
    new SocketMessageReader(socket),
    new SocketMessageWriter(socket),
  );
  connection.listen();
  return connection;
}

onWire("every method can be called, with parameters and without", async (wire) => {
  const connection = converse(wire);
  for (const name of Object.keys(Daemon.methods)) {
    const method = `daemon/${name}`;
    const given = params[name];
    const result = given
      ? await connection.sendRequest(method, ParameterStructures.byName, given)
      : await connection.sendRequest(method);
    assert.ok(result, method);
  }
  connection.end();
});

onWire(
  "500 requests at once are answered, each its own",
  async (wire) => {
    const connection = converse(wire);
    const ids = Array.from({ length: 500 }, (_, index) => `deploy ${index}`);
    const answers = await Promise.all(
      ids.map((deploy) => connection.sendRequest<{ deploy: string }>("daemon/attachDeploy", { deploy })),
    );
    assert.deepEqual(
      answers.map(({ deploy }) => deploy),
      ids,
    );
    connection.end();
  },
  { attachDeploy: async ({ deploy }) => ({ ...settled, deploy }) },
);

onWire(
  "errors have code, message and data; a cancelled call is answered by its result",
  async (wire) => {
    const connection = converse(wire);
    await assert.rejects(connection.sendRequest("daemon/stop"), (error) => {
      assert.ok(error instanceof ResponseError);
      assert.deepEqual([error.code, error.message, error.data], [5, "it is late", { since: 1 }]);
      return true;
    });
    await assert.rejects(connection.sendRequest("daemon/nope"), (error: ResponseError<unknown>) => {
      return error.code === -32601;
    });
    const source = new CancellationTokenSource();
    const answer = connection.sendRequest("daemon/deploy", { id: "d" }, source.token);
    setImmediate(() => source.cancel());
    assert.deepEqual(await answer, { ...settled, outcome: "aborted" });
    connection.end();
  },
  {
    stop() {
      throw new NaughtError("ShuttingDown", "it is late", { since: 1 });
    },
    deploy: (_params, { onCancel }: CallContext) =>
      new Promise((resolve) => onCancel(() => resolve({ ...settled, outcome: "aborted" }))),
  },
);

onWire(
  "notifications reach it in their order, before the answer that came after them",
  async (wire) => {
    const connection = converse(wire);
    const seen: unknown[] = [];
    connection.onNotification("watcher/event", ({ sequence }) => void seen.push(sequence));
    await connection.sendRequest("daemon/watch");
    assert.deepEqual(seen, [1, 2, 3]);
    connection.end();
  },
  (client) => ({
    watch() {
      for (const sequence of [1, 2, 3]) {
        client().event({ name: "Status", counts, waitingFor: null, sequence, time: "2026-01-31T23:59:59Z" });
      }
      return plainHandlers.watch({}, undefined as never);
    },
  }),
);
