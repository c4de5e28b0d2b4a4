/** The bridge: what a restricted one lets through, and that either kind ends when one of its sides does. */
import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { judge, type Method } from "../../src/actors/bridge/allowance.js";
import { runRestricted } from "../../src/actors/bridge/restricted.js";
import { runTransparent } from "../../src/actors/bridge/transparent.js";
import { ProcessStream } from "../../src/client/process-stream.js";
import { openSocket } from "../../src/client/socket.js";
import { createDecoder } from "../../src/protocol/decoder.js";
import { encodeFrame } from "../../src/protocol/frames.js";
import { limits } from "../../src/protocol/limits.js";
import type { Call as Message } from "../../src/protocol/message.js";
import { makeTemp } from "../support/temp.js";
import { until } from "../support/wait.js";

const allowed = new Set<Method>(["status", "watch", "deploy"]);
const message = (method: string, params?: unknown, id: unknown = 1): Message =>
  ({
    jsonrpc: "2.0",
    ...(id === "none" ? {} : { id }),
    method,
    ...(params === undefined ? {} : { params }),
  }) as Message;

test("only the methods that were named pass, and what goes with them", () => {
  for (const method of ["status", "watch", "deploy", "hello", "attachDeploy"]) {
    assert.equal(judge(message(`daemon/${method}`), allowed).verdict, "pass", method);
  }
  // A cancel aborts, and the deploy may be another's: it goes with the right to abort.
  const cancel = message("$/cancelRequest", { id: 1 }, "none");
  assert.deepEqual(judge(cancel, allowed), { verdict: "refuse", answer: undefined });
  assert.equal(judge(cancel, new Set<Method>(["deploy", "abortDeploy"])).verdict, "pass");
  assert.equal(judge(message("$/progress", {}, "none"), allowed).verdict, "refuse");
  for (const method of [
    "daemon/stop",
    "daemon/abortDeploy",
    "daemon/start",
    "daemon/lifeline",
    "rpc.discover",
    "$/cancelRequest",
    "Daemon/status",
    "status",
    "x/status",
    "",
  ]) {
    const judgement = judge(message(method), allowed);
    assert.equal(judgement.verdict, "refuse", method);
    const answer = (judgement as unknown as { answer: { id: unknown; error: { code: number } } }).answer;
    assert.deepEqual([answer.id, answer.error.code], [1, 13]);
  }
  // Without an id it would be carried out all the same.
  const told = judge(message("daemon/stop", {}, "none"), allowed);
  assert.deepEqual(told, { verdict: "refuse", answer: undefined });
  assert.equal(judge(message("daemon/attachDeploy"), new Set(["status"])).verdict, "refuse");
});

test("a deploy is relieved of whatever could choose what runs", () => {
  const launch = {
    script: "/x",
    args: ["a"],
    nodeArgs: ["-e"],
    env: { A: "1" },
    cwd: "/",
    replaceEnv: true,
    later: 1,
  };
  const kept = { id: "r1", workerCount: 2, timeout: 3, drain: { grace: 1 } };
  const judgement = judge(message("daemon/deploy", { ...launch, ...kept }), allowed);
  assert.ok(judgement.verdict === "pass");
  assert.deepEqual((judgement.message as unknown as { params: unknown }).params, kept);
  assert.deepEqual(judgement.dropped, Object.keys(launch));
  const tricky = JSON.parse(
    '{"jsonrpc":"2.0","id":1,"method":"daemon/deploy","params":{"__proto__":{"script":"/x"}}}',
  );
  const passed = judge(tricky, allowed) as { message: Message };
  assert.equal(JSON.stringify(passed.message).includes("script"), false);
});

/** A bridge between what the test writes and reads, and a daemon that the test plays. */
async function open(restricted: boolean, serve: (socket: Socket) => void) {
  const temp = makeTemp();
  const path = join(temp.dir, "d");
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((done) => server.listen(path, done));
  const opened = await openSocket(path);
  assert.ok(opened.outcome === "connected");
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const told: string[] = [];
  const stdio = new ProcessStream(stdin, stdout);
  const ended = restricted
    ? runRestricted(stdio, opened.socket, allowed, (line) => told.push(line))
    : runTransparent(stdio, opened.socket);
  ended.finally(() => {
    server.close();
    temp.remove();
  });
  return { stdin, stdout, ended, told, socket: opened.socket };
}

function decode(bytes: Buffer): unknown[] {
  const decoder = createDecoder(limits);
  decoder.push(bytes);
  const found: unknown[] = [];
  for (let body = decoder.next(); body; body = decoder.next()) found.push(JSON.parse(body.toString()));
  return found;
}

async function readAll(stream: PassThrough): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test("a restricted bridge answers what it refuses, passes the rest, and owes a client that half-closes its answers", {
  timeout: 20_000,
}, async () => {
  const seen: unknown[] = [];
  const bridge = await open(true, (socket) => {
    socket.on("data", (chunk) => {
      for (const each of decode(chunk)) {
        seen.push(each);
        const { id } = each as { id: unknown };
        socket.write(encodeFrame({ jsonrpc: "2.0", method: "watcher/event", params: { name: "x" } }));
        setTimeout(() => socket.write(encodeFrame({ jsonrpc: "2.0", id, result: { fine: true } })), 50);
      }
    });
    socket.on("end", () => socket.end());
  });
  const messages = [
    message("daemon/status"),
    message("daemon/stop", {}, 2),
    message("daemon/deploy", { script: "/x" }, 3),
  ];
  for (const each of messages) bridge.stdin.write(encodeFrame(each));
  bridge.stdin.write(encodeFrame("junk"));
  bridge.stdin.end();
  const got = decode(await readAll(bridge.stdout)) as {
    id?: unknown;
    error?: { code: number };
    method?: string;
  }[];
  await bridge.ended;
  // By numbers of the bridge's own.
  assert.deepEqual(seen, [message("daemon/status"), message("daemon/deploy", {}, 2)]);
  assert.deepEqual(got.filter(({ id }) => id === 2)[0]?.error?.code, 13);
  assert.deepEqual(got.filter(({ id }) => id === null)[0]?.error?.code, -32600);
  assert.equal(got.filter(({ id }) => id === 1 || id === 3).length, 2);
  assert.equal(got.filter(({ method }) => method === "watcher/event").length, 2);
  assert.deepEqual(bridge.told, ["left out of the deploy: script"]);
});

for (const restricted of [true, false]) {
  const kind = restricted ? "restricted" : "transparent";

  test(`a ${kind} bridge ends when its daemon does`, { timeout: 20_000 }, async () => {
    const bridge = await open(restricted, (socket) => {
      socket.end(encodeFrame({ jsonrpc: "2.0", method: "watcher/event", params: {} }));
    });
    assert.equal(decode(await readAll(bridge.stdout)).length, 1);
    await bridge.ended;
  });

  test(`a ${kind} bridge ends when nobody reads it any more`, { timeout: 20_000 }, async () => {
    const bridge = await open(restricted, (socket) => {
      socket.on("error", () => {});
      const timer = setInterval(() => socket.write(encodeFrame({ jsonrpc: "2.0", method: "x" })), 5);
      socket.on("close", () => clearInterval(timer));
    });
    bridge.stdout.destroy(new Error("EPIPE"));
    await bridge.ended;
  });

  test(`a ${kind} bridge reads either side no faster than the other one is read`, {
    timeout: 20_000,
  }, async () => {
    const frame = encodeFrame({
      jsonrpc: "2.0",
      method: "watcher/event",
      params: { text: "x".repeat(60_000) },
    });
    let daemon: Socket | undefined;
    let accepted = 0;
    const bridge = await open(restricted, (socket) => {
      daemon = socket;
      socket.on("error", () => {});
      // The daemon reads nothing and writes as much as is taken.
      socket.pause();
      const write = (): void => {
        while (!socket.destroyed && accepted < 64e6 && socket.write(frame)) accepted += frame.length;
      };
      socket.on("drain", write);
      write();
    });
    const request = encodeFrame(message("daemon/status", { text: "x".repeat(60_000) }));
    let sent = 0;
    const write = (): void => {
      while (sent < 64e6 && bridge.stdin.write(request)) sent += request.length;
    };
    bridge.stdin.on("drain", write);
    write();
    await until("the daemon", () => daemon !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.ok(accepted < 4e6, `took ${accepted} bytes of the daemon`);
    assert.ok(sent < 4e6, `took ${sent} bytes of the client`);
    assert.equal(daemon?.destroyed, false);
    bridge.stdout.destroy();
    daemon?.destroy();
    await bridge.ended;
  });
}
