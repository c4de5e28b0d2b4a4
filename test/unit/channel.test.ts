/** Process channels: handles travel, the application's own messages pass, and garbage hurts nobody. */
import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { openChannel } from "../../src/protocol/channel.js";
import { contract, type Handlers } from "../../src/protocol/contract.js";
import { NaughtError } from "../../src/protocol/errors.js";
import { Host, Master } from "../../src/protocol/master.js";
import { connect } from "../../src/protocol/peer.js";
import { Supervisor, Worker } from "../../src/protocol/worker.js";
import { makeTemp } from "../support/temp.js";

const program = join(import.meta.dirname, "../support/protocol-child.js");
const children: ChildProcess[] = [];
const nobody = contract("nobody", {});
const worker = { id: 1, slot: 0, pid: 1, generation: 1 };

function start(mode: string): ChildProcess {
  const child = fork(program, [mode], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  children.push(child);
  return child;
}

after(() => {
  for (const child of children) child.kill("SIGKILL");
});

test("a descriptor travels in with a call, and is the callee's from then on", async () => {
  const temp = makeTemp();
  const path = join(temp.dir, "s");
  const server = createServer().listen(path);
  await once(server, "listening");
  const accepted = once(server, "connection");
  const socket = connectSocket(path);
  await once(socket, "connect");
  const [far] = (await accepted) as [Socket];
  const child = start("host");
  const { client } = connect(openChannel(child), nobody, {}, Host);
  await client.output({ worker, stream: "stdout" }, far);
  // The child has written through the descriptor before it answered.
  const [text] = await once(socket, "data");
  assert.equal(String(text), "hello from the child");
  child.kill();
  socket.destroy();
  far.destroy();
  server.close();
  temp.remove();
});

test("messages that are not ours, and broken ones in our wrapping, leave the conversation unharmed", async () => {
  const child = start("garbage");
  const own: unknown[] = [];
  child.on("message", (message: { naught?: unknown }) => {
    if (message?.naught !== 1) own.push(message);
  });
  let online = 0;
  const supervisor = {
    online() {
      online += 1;
    },
    offline() {},
  } as unknown as Handlers<typeof Supervisor>;
  connect(openChannel(child), Supervisor, supervisor, Worker);
  await once(child, "exit");
  assert.equal(online, 1);
  assert.deepEqual(own, ["online", { jsonrpc: "2.0", id: 1, method: "supervisor/offline" }]);
});

test("calls reject with Lost when the process dies", async () => {
  const child = start("silent");
  const peer = connect(openChannel(child), nobody, {}, Master);
  await once(child, "message");
  const calls = [peer.client.status({}), peer.client.stop({})];
  child.kill("SIGKILL");
  for (const call of calls) {
    await assert.rejects(call, (error) => error instanceof NaughtError && error.kind === "Lost");
  }
  await assert.rejects(
    peer.client.status({}),
    (error) => error instanceof NaughtError && error.kind === "Lost",
  );
});

test("an answer given just before the process ends arrives", async () => {
  for (let round = 0; round < 5; round++) {
    const peer = connect(openChannel(start("last-words")), nobody, {}, Master);
    assert.deepEqual(await peer.client.stop({}), {});
  }
});
