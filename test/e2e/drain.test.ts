/** The drain of a worker's servers, with real sockets. */
import assert from "node:assert/strict";
import { after, before, describe, type TestContext, test } from "node:test";
import { bundlePreload, type Dial, type Draining, dial, startServer } from "../support/draining.js";
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

  test("lets go of a connection whose response outlasted it, like of any other", async (t) => {
    const server = await start(t, "drain-held.cjs", { KEEP_ALIVE: "0" });
    const begun = await dial(t, server);
    begun.get("/head");
    await begun.until("first");
    await server.drain(0.5, 0.1);
    await server.drained();
    server.say("release");
    assert.match(await begun.closed(), /released/);
  });

  test("lets an application close its server before it begins, and cuts nobody", async (t) => {
    const server = await start(t, "drain-held.cjs");
    const [idle, other] = [await idleConnection(t, server), await idleConnection(t, server)];
    server.say("hold");
    server.say("close");
    idle.get("/after");
    await idle.until("ok /after");
    await server.drain(10, 30);
    other.get("/after");
    assert.match((await other.closed()).split("HTTP/1.1 ")[2] ?? "", closing);
    await server.drained();
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
});

/** A server that is closed has no address, but a unix socket's path. */
function addressAfter(kind: string, { address }: Draining): unknown {
  return kind === "a port" ? null : address;
}

function assertBetween(actual: number, least: number, most: number): void {
  assert.ok(actual >= least && actual <= most, `${Math.round(actual)} ms, not ${least} to ${most}`);
}
