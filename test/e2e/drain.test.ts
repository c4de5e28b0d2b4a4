/** The drain of a worker's servers, with real sockets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { after, before, describe, type TestContext, test } from "node:test";
import {
  bundlePreload,
  type Dial,
  type Draining,
  dial,
  dialSecurely,
  startServer,
} from "../support/draining.js";
import { makeTemp } from "../support/temp.js";

const closing = /\r\nconnection: close\r\n/i;
const keeping = /\r\nconnection: keep-alive\r\n/i;

let preload: Awaited<ReturnType<typeof bundlePreload>>;
before(async () => {
  preload = await bundlePreload();
});
after(() => preload.remove());

function start(
  t: TestContext,
  script: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Draining> {
  return startServer(t, preload.path, script, env);
}

/** One request, answered: the connection is idle then. */
async function idleConnection(t: TestContext, server: Draining): Promise<Dial> {
  const idle = await dial(t, server);
  idle.get("/before");
  await idle.until("ok /before");
  return idle;
}

describe("the drain", { concurrency: 4, timeout: 60_000 }, () => {
  test("is over at once when there is nothing to wait for, and can be asked for twice", async (t) => {
    const server = await start(t, "drain-held.cjs");
    await server.drain(10, 30);
    await server.drain(0, 0);
    assert.ok((await server.drained()) < 500);
    await server.drained();
  });

  for (const kind of ["a port", "a unix socket"]) {
    test(`does not show on ${kind}: no connection is accepted, and the server answers as before`, async (t) => {
      const temp = makeTemp();
      t.after(temp.remove);
      const where: Record<string, string> = kind === "a port" ? {} : { SOCKET: `${temp.dir}/s` };
      const server = await start(t, "drain-held.cjs", where);
      await server.drain(10, 30);
      await assert.rejects(dial(t, server), { code: kind === "a port" ? "ECONNREFUSED" : "ENOENT" });
      assert.deepEqual(await server.ask("look", "listening"), { listening: true, address: server.address });
      assert.deepEqual(await server.ask("close", "closed"), { closed: "well" });
      assert.deepEqual(await server.ask("look", "listening"), {
        listening: false,
        address: addressAfter(kind, server),
      });
      assert.deepEqual(await server.ask("close", "closed"), { closed: "ERR_SERVER_NOT_RUNNING" });
    });
  }

  test("keeps a server from accepting that listens while it lasts, or after", async (t) => {
    const server = await start(t, "drain-held.cjs");
    await server.ask("close", "closed");
    await server.drain(10, 30);
    await server.drained();
    const { address } = (await server.ask("listen", "address")) as Draining;
    await assert.rejects(dial(t, { ...server, address }), { code: "ECONNREFUSED" });
  });

  test("finds a server that was closed and listens again", async (t) => {
    const server = await start(t, "drain-held.cjs");
    await server.ask("close", "closed");
    const { address } = (await server.ask("listen", "address")) as Draining;
    await server.drain(10, 30);
    await assert.rejects(dial(t, { ...server, address }), { code: "ECONNREFUSED" });
  });

  test("puts Connection: close into every response, whatever the application says", async (t) => {
    const server = await start(t, "drain-headers.cjs");
    const paths = ["/nothing", "/set", "/object", "/flat", "/pairs", "/both", "/captured"];
    const dials = await Promise.all(paths.map(() => dial(t, server)));
    for (const [index, each] of dials.entries()) {
      each.get(paths[index] ?? "");
      const text = await each.until("ok");
      assert.match(text, keeping, `${paths[index]} before the drain`);
    }
    await server.drain(10, 30);
    for (const [index, each] of dials.entries()) {
      each.get(paths[index] ?? "");
      const answer = (await each.closed()).split("HTTP/1.1 ")[2] ?? "";
      assert.match(answer, closing, `${paths[index]}`);
      assert.doesNotMatch(answer, keeping, `${paths[index]}`);
      assert.match(answer, /ok/);
      if (index > 0 && paths[index] !== "/both") assert.match(answer, /x-mine: 1/i, `${paths[index]}`);
    }
    assert.ok((await server.drained()) < 900, "nobody is left to wait for");
  });

  test("keeps idle and silent connections for a second more than was advertised, then closes them", async (t) => {
    const server = await start(t, "drain-held.cjs", { KEEP_ALIVE: "1000" });
    const silent = await dial(t, server);
    const used = await idleConnection(t, server);
    // Node itself closes those that were used, at their time.
    const [late, idle] = [await dial(t, server), await idleConnection(t, server)];
    await server.drain(10, 30);
    server.say("close");
    used.get("/used");
    assert.match((await used.closed()).split("HTTP/1.1 ")[2] ?? "", closing);
    late.get("/late");
    assert.match(await late.closed(), closing);
    assert.ok(silent.isOpen() && idle.isOpen(), "the application's close() does not cut them");
    await Promise.all([silent.closed(), idle.closed()]);
    assertBetween(await server.drained(), 1_950, 3_500);
  });

  test("keeps them no longer than the grace", async (t) => {
    const server = await start(t, "drain-held.cjs", { KEEP_ALIVE: "0" });
    const idle = [await dial(t, server), await idleConnection(t, server)];
    await server.drain(0.5, 30);
    await Promise.all(idle.map((each) => each.closed()));
    assertBetween(await server.drained(), 450, 2_000);
  });

  test("does not take a connection for idle on which a part of a request has arrived", async (t) => {
    const server = await start(t, "drain-held.cjs");
    const parted = [await dial(t, server), await idleConnection(t, server), await dial(t, server)];
    const idle = await dial(t, server);
    const [first, second, third] = parted as [Dial, Dial, Dial];
    first.socket.write("GET /par");
    second.socket.write("GET /par");
    await idleConnection(t, server);
    await server.drain(0.5, 30);
    third.socket.write("GET /par");
    await idle.closed();
    for (const each of parted) each.socket.write("ted HTTP/1.1\r\nHost: a\r\n\r\n");
    for (const each of parted) assert.match(await each.closed(), /close[\s\S]*ok \/parted/i);
    await server.drained();
  });

  test("waits for responses in flight, and a head that was sent before stays as it is", async (t) => {
    const server = await start(t, "drain-held.cjs", { KEEP_ALIVE: "500" });
    const [held, begun] = [await dial(t, server), await dial(t, server)];
    begun.get("/head");
    await begun.until("first");
    held.get("/hold");
    await idleConnection(t, server);
    await server.drain(1, 30);
    await (await dial(t, server).catch(() => undefined))?.closed();
    server.say("release");
    assert.match(await held.closed(), closing);
    assert.match(await begun.until("released"), keeping);
    begun.get("/after");
    assert.match((await begun.closed()).split("HTTP/1.1 ")[2] ?? "", closing);
    await server.drained();
  });

  test("waits for them no longer than its timeout", async (t) => {
    const server = await start(t, "drain-held.cjs");
    const held = await dial(t, server);
    held.get("/hold");
    await (await idleConnection(t, server)).socket.destroy();
    await server.drain(10, 0.5);
    assertBetween(await server.drained(), 450, 2_000);
    server.say("release");
    assert.match(await held.closed(), /released/);
  });

  test("neither waits for websockets and event streams nor touches them", async (t) => {
    const server = await start(t, "drain-held.cjs");
    const [socket, events, later] = [await dial(t, server), await dial(t, server), await dial(t, server)];
    socket.get("/", "Connection: Upgrade\r\n", "Upgrade: echo\r\n");
    await socket.until("101 Up");
    events.get("/events");
    await events.until("data: 1");
    await server.drain(10, 30);
    later.get("/events");
    await later.until("data: 1");
    assert.ok((await server.drained()) < 900);
    socket.socket.write("still here");
    await socket.until("still here");
    assert.ok(events.isOpen() && later.isOpen());
  });

  test("answers all requests that came in one packet, and says close with the last", async (t) => {
    const server = await start(t, "drain-held.cjs");
    const pipelined = await dial(t, server);
    await server.drain(10, 30);
    pipelined.socket.write(
      ["/1", "/2", "/3"].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(""),
    );
    const answers = (await pipelined.closed()).split("HTTP/1.1 ").slice(1);
    assert.deepEqual(
      answers.map((each) => [/ok .*/.exec(each)?.[0], closing.test(each)]),
      [
        ["ok /1", false],
        ["ok /2", false],
        ["ok /3", true],
      ],
    );
  });

  test("does not reset a client that is still sending the body of a request that was answered", async (t) => {
    const server = await start(t, "drain-held.cjs");
    const client = await dial(t, server);
    await server.drain(10, 30);
    client.socket.write("POST /early HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
    await client.until("ok /early");
    client.socket.write("x".repeat(200_000));
    client.get("/next");
    const text = await client.closed();
    assert.match(text.split("HTTP/1.1 ")[2] ?? "", /close[\s\S]*ok \/next/i);
    await server.drained();
  });

  for (const kind of ["https", "both"]) {
    test(`treats ${kind === "both" ? "HTTP/1 on an http2 server" : "https"} like http, and a handshake like silence`, async (t) => {
      const server = await start(t, "drain-kinds.cjs", { KIND: kind });
      const only1 = { ALPNProtocols: ["http/1.1"] };
      const shaking = await dial(t, server);
      const [idle, busy, next] = [
        await dialSecurely(t, server, only1),
        await dialSecurely(t, server, only1),
        await dialSecurely(t, server, only1),
      ];
      for (const each of [idle, next]) {
        each.get("/0");
        await each.until("ok");
      }
      busy.get("/1500");
      await server.drain(0.8, 30);
      next.get("/0");
      assert.match((await next.closed()).split("HTTP/1.1 ")[2] ?? "", closing);
      await Promise.all([shaking.closed(), idle.closed()]);
      assert.ok(busy.isOpen());
      assert.match(await busy.closed(), /connection: close[\s\S]*ok/i);
      assertBetween(await server.drained(), 1_300, 4_000);
    });
  }

  test("lets a handshake finish that is under way", async (t) => {
    const server = await start(t, "drain-kinds.cjs", { KIND: "https" });
    const { port } = server.address as { port: number };
    const raw = connect(port, "127.0.0.1");
    await once(raw, "connect");
    const settled = await idleSecure(t, server);
    await server.drain(5, 30);
    const client = await dialSecurely(t, server, { socket: raw });
    client.get("/0");
    assert.match(await client.closed(), closing);
    settled.socket.destroy();
    assert.ok((await server.drained()) < 3_000);
  });

  test("knows of no requests on raw sockets: they neither delay it nor are touched", async (t) => {
    const server = await start(t, "drain-kinds.cjs", { KIND: "net" });
    const raw = await dial(t, server);
    raw.socket.write("before");
    await raw.until("before");
    await server.drain(0, 30);
    assert.ok((await server.drained()) < 500);
    raw.socket.write("after");
    await raw.until("after");
    await assert.rejects(dial(t, server), { code: "ECONNREFUSED" });
  });

  test("nor of those of http2", async (t) => {
    const server = await start(t, "drain-kinds.cjs", { KIND: "http2" });
    const { port } = server.address as { port: number };
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    await once(session, "connect");
    const stream = session.request({ ":path": "/700" });
    await server.drain(0, 30);
    assert.ok((await server.drained()) < 600);
    const [headers] = await once(stream, "response");
    assert.equal(headers[":status"], 200);
  });

  test("leaves no trace of a server that was closed before", async (t) => {
    const server = await startServer(t, preload.path, "drain-forgotten.cjs", {}, ["--expose-gc"]);
    assert.deepEqual(await server.ask("", "forgotten"), { forgotten: true });
  });
});

/** A server that is closed has no address, but a unix socket's path. */
function addressAfter(kind: string, { address }: Draining): unknown {
  return kind === "a port" ? null : address;
}

async function idleSecure(t: TestContext, server: Draining): Promise<Dial> {
  const idle = await dialSecurely(t, server);
  idle.get("/0");
  await idle.until("ok");
  return idle;
}

function assertBetween(actual: number, least: number, most: number): void {
  assert.ok(actual >= least && actual <= most, `${Math.round(actual)} ms, not ${least} to ${most}`);
}
