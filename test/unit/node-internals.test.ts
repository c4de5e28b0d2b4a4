/** What naught relies on in Node beyond its public API. A failure here says which Node has changed what. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { constants } from "node:os";
import { test } from "node:test";
import {
  acceptAlso,
  bindSocket,
  canBind,
  canSharePort,
  readBindError,
  readBound,
  readListeningId,
  refuseListen,
  reusePort,
  type SocketHandle,
  withholdListen,
  writeBetween,
} from "../../src/actors/node-internals.js";

const node = `Node ${process.version}`;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const any = { address: "127.0.0.1", port: 0, addressType: 4 };

function bind(query = any): SocketHandle {
  const handle = bindSocket(query);
  if (typeof handle === "number") throw new Error(`${node}: net._createServerHandle gave ${handle}`);
  return handle;
}

test("net._createServerHandle binds a socket without listening on it", async () => {
  assert.ok(canBind(), `${node} has no net._createServerHandle any more`);
  const handle = bind();
  const bound = readBound(handle);
  assert.ok(bound?.port, `${node}: the handle has no getsockname`);
  const socket = connect(bound.port, any.address);
  const [error] = (await once(socket, "error")) as [NodeJS.ErrnoException];
  assert.equal(error.code, "ECONNREFUSED", `${node}: the handle listens already`);
  handle.close();
});

test("an address in use is told by getsockname, others at once", async () => {
  const server = createServer().listen(any.port, any.address);
  await once(server, "listening");
  const busy = bindSocket({ ...any, port: (server.address() as AddressInfo).port });
  const errno = typeof busy === "number" ? busy : readBindError(busy);
  assert.equal(errno, -constants.errno.EADDRINUSE, `${node} tells it in another way`);
  if (typeof busy !== "number") busy.close();
  server.close();
  const foreign = bindSocket({ ...any, address: "203.0.113.1" });
  assert.equal(foreign, -constants.errno.EADDRNOTAVAIL, `${node} tells it in another way`);
});

test("a server accepts from a second socket, and is not kept alive by it", async () => {
  const server = createServer((socket) => socket.end("here"));
  server.listen(bind());
  const extra = bind();
  assert.equal(acceptAlso(server, extra, 511), 0, `${node}: a listening handle has another shape`);
  const socket = connect(readBound(extra)?.port ?? 0, any.address).setEncoding("utf8");
  assert.deepEqual(await once(socket, "data"), ["here"]);
  extra.close();
  server.close();
  assert.equal(acceptAlso(server, bind(), 511), -constants.errno.EINVAL, "a closed server accepts nothing");
});

test("a server whose listen is withheld sees that it listens, and the kernel does not", async () => {
  const handle = bind();
  const listen = withholdListen(handle);
  const server = createServer((socket) => socket.end("here")).listen(handle as object);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const [error] = await once(connect(port, any.address), "error");
  assert.equal(error.code, "ECONNREFUSED", `${node}: the server has listened by another way`);
  assert.equal(listen(), 0);
  assert.deepEqual(await once(connect(port, any.address).setEncoding("utf8"), "data"), ["here"]);
  server.close();
});

test("bytes are put into a socket past Node, but not into the middle of what Node has yet to send", async () => {
  const server = createServer().listen(0, any.address);
  await once(server, "listening");
  const client = connect((server.address() as AddressInfo).port, any.address);
  const [socket] = (await once(server, "connection")) as [Socket];
  assert.equal(writeBetween(socket, Buffer.from("first")), "written", `${node}: sockets have another shape`);
  assert.equal(String(await once(client, "data")), "first");
  client.pause();
  socket.write(Buffer.alloc(30_000_000));
  assert.equal(writeBetween(socket, Buffer.from("second")), "busy");
  client.destroy();
  socket.destroy();
  assert.equal(writeBetween(socket, Buffer.from("third")), "closed");
  server.close();
});

test("several sockets share a port where Node has the flag", () => {
  const expected = process.platform === "linux" && (major > 22 || (major === 22 && minor >= 12));
  assert.equal(canSharePort(), expected, `${node}: libuv's flag ${reusePort} does something else`);
});

test("a listen that was refused fails with the error of a server outside of a cluster", async () => {
  const server = createServer();
  const errors: (Error & { address?: string })[] = [];
  server.on("error", (error) => errors.push(error));
  // As node:cluster's own way does it with what it is answered.
  const answer = (_: number, handle: object | null): void => {
    Object.assign(server, { _handle: handle });
    (server as unknown as { _listen2(...args: unknown[]): void })._listen2(null, 80, 4);
  };
  refuseListen(server, answer, -constants.errno.EACCES, "0.0.0.0");
  await new Promise(setImmediate);
  assert.equal(errors[0]?.message, "listen EACCES: permission denied 0.0.0.0:80", `${node} has other words`);
  assert.equal(errors[0]?.address, "0.0.0.0");
  assert.equal(Object.hasOwn(server, "_listen2"), false);
  assert.equal(server.listening, false);
});

test("a server that is closed, or told to listen anew, is known by its listening id", async () => {
  const server = createServer();
  const ids = [readListeningId(server)];
  server.listen(any.port, any.address).close();
  ids.push(readListeningId(server));
  assert.equal(typeof ids[0], "number", `${node}: net.Server has no _listeningId any more`);
  assert.notEqual(ids[0], ids[1]);
});

test("Node ends the channel of a process whose parent is gone through process.disconnect, which is known before", () => {
  const child = `
    import { beforeChannelEnds } from ${JSON.stringify(import.meta.resolve("../../src/actors/node-internals.js"))};
    const { disconnect } = process;
    let ends = 0;
    beforeChannelEnds(() => { ends += 1; });
    process.disconnect = () => {
      process.exitCode = ends === 1 ? 7 : 8;
      disconnect.call(process);
    };
    process.on("disconnect", () => process.exit());
    process.on("message", () => {});
    process.send("ready");`;
  const parent = `
    const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["--input-type=module", "-e", ${JSON.stringify(child)}], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("message", () => child.channel && child.disconnect());
    child.on("exit", (code) => process.exit(code));`;
  const { status, stderr } = spawnSync(process.execPath, ["-e", parent], { encoding: "utf8" });
  assert.equal(status, 7, `${node} ends its channel in another way: ${stderr}`);
});

test("a cluster worker asks for its sockets through cluster._getServer", () => {
  const script = `
    const cluster = require("node:cluster");
    const ask = cluster._getServer;
    if (typeof ask !== "function") process.exit(2);
    cluster._getServer = (server, query, answer) => {
      const { address, port, addressType, fd, backlog } = query;
      console.log(JSON.stringify({ address, port, addressType, fd: fd ?? null, backlog }));
      answer(-1, null);
    };
    require("node:net").createServer().on("error", () => process.exit(0)).listen({ host: "127.0.0.1", port: 7, backlog: 9 });`;
  const env = { ...process.env, NODE_UNIQUE_ID: "1" };
  const { status, stdout } = spawnSync(process.execPath, ["-e", script], { env, encoding: "utf8" });
  assert.notEqual(status, 2, `${node} has no cluster._getServer any more`);
  const asked = { address: "127.0.0.1", port: 7, addressType: 4, fd: null, backlog: 9 };
  assert.deepEqual(JSON.parse(stdout), asked, `${node} asks in other words`);
});
