/** What naught relies on in Node's sockets of datagrams beyond its public API. A failure here says which Node has changed what. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { constants } from "node:os";
import { test } from "node:test";
import {
  bindDatagrams,
  canBindDatagrams,
  type DatagramHandle,
  isClosedSocket,
  isConnected,
  isDatagramHandle,
  isDatagramSocket,
  openDatagrams,
  tolerateSharing,
} from "../../src/actors/node-datagrams.js";
import { readBound, refuseListen, withholdListen } from "../../src/actors/node-internals.js";

const node = `Node ${process.version}`;
const any = { address: "127.0.0.1", port: 0, addressType: 4 };
const { EADDRINUSE, EADDRNOTAVAIL, EINVAL, EISCONN } = constants.errno;

function bind(query = any): DatagramHandle {
  const handle = bindDatagrams(query);
  if (typeof handle === "number") throw new Error(`${node}: a handle could not be bound: ${handle}`);
  return handle;
}

function read(handle: DatagramHandle): Socket {
  // As node:cluster gives it to a worker's socket.
  return (createSocket("udp4") as unknown as { bind(handle: object): Socket }).bind(handle);
}

test("a socket of datagrams is bound, and nobody reads from it", async () => {
  assert.ok(canBindDatagrams(), `${node} keeps a socket's handle elsewhere than in its "state symbol"`);
  const handle = bind();
  assert.ok(isDatagramHandle(handle));
  const { address, port = 0 } = readBound(handle) ?? {};
  assert.equal(address, any.address);
  const sender = createSocket("udp4");
  sender.send("waits", port, any.address);
  const socket = read(handle);
  const [message] = await once(socket, "message");
  assert.equal(String(message), "waits");
  socket.close();
  sender.close();
});

test("what cannot be bound is told at once", () => {
  const handle = bind();
  const { port = 0 } = readBound(handle) ?? {};
  assert.equal(bindDatagrams({ ...any, port }), -EADDRINUSE);
  assert.equal(bindDatagrams({ ...any, address: "203.0.113.1" }), -EADDRNOTAVAIL);
  handle.close();
});

test("both versions of IP have one port when the socket of IPv6 leaves the other out", () => {
  const six = bind({ address: "::", port: 0, addressType: 6, flags: 1 } as typeof any);
  const { port = 0 } = readBound(six) ?? {};
  bind({ address: "0.0.0.0", port, addressType: 4 }).close();
  six.close();
});

test("an open socket is known by its number, and a file for none", async () => {
  assert.equal(openDatagrams(1), -EINVAL);
  const giver = `
    import socket, subprocess, sys, os
    given = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    given.bind(("127.0.0.1", 0))
    os.dup2(given.fileno(), 9, True)
    sys.exit(subprocess.run([sys.argv[1], "--input-type=module", "-e", sys.argv[2]], close_fds=False).returncode)`;
  const script = `
    import { openDatagrams } from ${JSON.stringify(import.meta.resolve("../../src/actors/node-datagrams.js"))};
    import { readBound } from ${JSON.stringify(import.meta.resolve("../../src/actors/node-internals.js"))};
    const handle = openDatagrams(9);
    // With one that reads, the process would stay.
    console.log(typeof handle === "number" ? handle : readBound(handle).address);`;
  const python = giver.replaceAll(/^ {4}/gm, "");
  const { stdout, stderr } = spawnSync("python3", ["-c", python, process.execPath, script], {
    encoding: "utf8",
    timeout: 10_000,
  });
  assert.equal(stdout, "127.0.0.1\n", `${node}: ${stderr}`);
});

test("a socket that is withheld looks bound, and does not read", async () => {
  const handle = bind();
  const start = withholdListen(handle);
  const socket = read(handle);
  const { port } = socket.address();
  const sender = createSocket("udp4");
  let reads = 0;
  socket.on("message", () => {
    reads += 1;
  });
  sender.send("waits", port, any.address);
  // One that is read by somebody else says when the first must have come.
  const other = createSocket("udp4").bind(0, any.address);
  await once(other, "listening");
  sender.send("comes", other.address().port, any.address);
  await once(other, "message");
  assert.equal(reads, 0, `${node}: it reads by another way than recvStart`);
  assert.equal(start(), 0);
  await once(socket, "message");
  for (const each of [socket, sender, other]) each.close();
});

test("a handle travels to another process and back, and stays the same socket", async () => {
  const handle = bind();
  const echo = `process.on("message", (message, handle) => handle && process.send(message, handle, { keepOpen: true }));`;
  const child = spawn(process.execPath, ["-e", echo], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  (child.send as (message: string, handle: object) => void).call(child, "here", handle);
  const [, copy] = (await once(child, "message")) as [string, DatagramHandle];
  assert.ok(isDatagramHandle(copy), `${node} does not pass a handle of datagrams on`);
  assert.deepEqual(readBound(copy), readBound(handle));
  // What was done to one was done to both; its own process does not know that it was.
  assert.equal(isConnected(handle), false);
  assert.equal(copy.connect(any.address, 9), 0);
  assert.equal(isConnected(handle), true);
  copy.close();
  handle.close();
  child.kill("SIGKILL");
  await once(child, "exit");
});

test("what is done to a shared socket already may be asked for again", () => {
  const handle = bind();
  tolerateSharing(handle, 4);
  assert.equal(handle.connect(any.address, 9), 0);
  assert.equal(handle.connect(any.address, 9), 0);
  assert.equal(handle.connect(any.address, 10), -EISCONN);
  for (let count = 0; count < 2; count += 1) {
    assert.equal(handle.addMembership("239.77.0.2", any.address), 0);
    assert.equal(handle.addSourceSpecificMembership("192.0.2.1", "232.1.1.1", any.address), 0);
  }
  assert.equal(handle.addMembership("1.2.3.4", any.address), -EINVAL);
  handle.close();
  const six = bind({ address: "::1", port: 0, addressType: 6 });
  tolerateSharing(six, 6);
  assert.equal(six.connect("::1", 9), 0);
  six.close();
});

test("a bind that was refused fails with the error of a socket outside of a cluster", async () => {
  const socket = createSocket("udp4");
  assert.ok(isDatagramSocket(socket), `${node}: a dgram.Socket has no "state symbol"`);
  const answers: unknown[] = [];
  refuseListen(socket, (...answer) => answers.push(answer), -EADDRINUSE);
  assert.deepEqual(answers, [[-EADDRINUSE, null]]);
  assert.equal(isClosedSocket(socket), false);
  socket.close();
  assert.equal(isClosedSocket(socket), true);
  assert.equal(isDatagramSocket({}), false);
});

test("a cluster worker asks for its sockets of datagrams through cluster._getServer", () => {
  const script = `
    const cluster = require("node:cluster");
    cluster._getServer = (socket, query, answer) => {
      const { address, port, addressType, fd, flags } = query;
      console.log(JSON.stringify({ address, port, addressType, fd, flags }));
      answer(${-EADDRINUSE}, null);
    };
    const { createSocket } = require("node:dgram");
    createSocket({ type: "udp6", ipv6Only: true, reuseAddr: true }).on("error", ({ message }) => {
      console.log(message);
      createSocket("udp4").on("error", () => process.exit(0)).bind({ fd: 7 });
    }).bind(9, "::1");`;
  const env = { ...process.env, NODE_UNIQUE_ID: "1" };
  const { stdout } = spawnSync(process.execPath, ["-e", script], { env, encoding: "utf8" });
  const [asked = "", message, byNumber = ""] = stdout.split("\n");
  assert.deepEqual(
    [JSON.parse(asked), message, JSON.parse(byNumber)],
    [
      { address: "::1", port: 9, addressType: "udp6", fd: -1, flags: 5 },
      "bind EADDRINUSE ::1:9",
      { address: null, port: null, addressType: "udp4", fd: 7, flags: null },
    ],
    `${node} asks in other words`,
  );
});
