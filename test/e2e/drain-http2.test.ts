/** The drain of http2 servers: how sessions are left, and which streams are waited for. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { after, before, describe, type TestContext, test } from "node:test";
import { bundlePreload, type Draining, dial, dialSecurely, startServer } from "../support/draining.js";
import { frameType, lastStream, speakFrames } from "../support/http2-frames.js";

const highest = 2 ** 31 - 1;

let preload: Awaited<ReturnType<typeof bundlePreload>>;
before(async () => {
  preload = await bundlePreload();
});
after(() => preload.remove());

function start(t: TestContext, env: Readonly<Record<string, string>> = {}): Promise<Draining> {
  return startServer(t, preload.path, "drain-http2.cjs", env);
}

interface Client {
  readonly session: ClientHttp2Session;
  /** The last streams that were named by GOAWAY, one after the other. */
  readonly goaways: readonly number[];
}

async function open(t: TestContext, { address }: Draining, scheme = "http"): Promise<Client> {
  const { port } = address as { port: number };
  const session = connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false });
  t.after(() => session.destroy());
  const goaways: number[] = [];
  session.on("goaway", (_, last) => goaways.push(last));
  session.on("error", () => {});
  await once(session, "remoteSettings");
  return { session, goaways };
}

async function read(stream: ClientHttp2Stream): Promise<string> {
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return text;
}

describe("the drain of http2", { concurrency: 4, timeout: 60_000 }, () => {
  for (const scheme of ["http", "https"]) {
    test(`closes an idle session (${scheme})`, async (t) => {
      const server = await start(t, scheme === "https" ? { SECURE: "1" } : {});
      const { session, goaways } = await open(t, server, scheme);
      assert.equal(await read(session.request({ ":path": "/0" })), "ok");
      const closed = once(session, "close");
      await server.drain(10, 30);
      await closed;
      assert.equal(goaways[0], scheme === "http" ? highest : 1);
      assert.ok((await server.drained()) < 4_000);
    });

    test(`waits for streams in flight, and tells their clients at once (${scheme})`, async (t) => {
      const server = await start(t, scheme === "https" ? { SECURE: "1" } : {});
      const { session } = await open(t, server, scheme);
      const stream = session.request({ ":path": "/1500" });
      await server.ask("count", "streams");
      const told = once(session, "goaway");
      await server.drain(10, 30);
      await told;
      assert.equal(session.closed, true);
      assert.equal(await read(stream), "ok");
      assert.ok((await server.drained()) < 4_000);
    });

    test(`waits neither for event streams nor for tunnels, and does not touch them (${scheme})`, async (t) => {
      const server = await start(t, scheme === "https" ? { SECURE: "1" } : {});
      const [one, two] = [await open(t, server, scheme), await open(t, server, scheme)];
      const events = one.session.request({ ":path": "/events" });
      const tunnel = two.session.request({ ":method": "CONNECT", ":authority": "a:1" });
      await Promise.all([once(events, "data"), once(tunnel, "response")]);
      await server.drain(10, 30);
      const ms = await server.drained();
      assert.ok(ms < 2_900, `${ms} ms`);
      for (const { session } of [one, two]) await new Promise((answered) => session.ping(answered));
      assert.ok(!events.destroyed && !tunnel.destroyed);
    });
  }

  test("finds out that an answer is an event stream when it is given", async (t) => {
    const server = await start(t);
    const { session } = await open(t, server);
    const events = session.request({ ":path": "/events" });
    await server.ask("count", "streams");
    await server.drain(10, 30);
    await once(events, "data");
    const ms = await server.drained();
    assert.ok(ms < 2_900, `${ms} ms`);
  });

  test("waits for streams in flight no longer than its timeout", async (t) => {
    const server = await start(t);
    const { session } = await open(t, server);
    const stream = session.request({ ":path": "/3000" });
    await server.ask("count", "streams");
    await server.drain(10, 0.5);
    const ms = await server.drained();
    assert.ok(ms >= 490 && ms < 2_000, `${ms} ms`);
    assert.equal(await read(stream), "ok");
  });

  test("serves what was opened before the client has confirmed twice, and nothing after that", async (t) => {
    const server = await start(t);
    const client = speakFrames(await dial(t, server));
    client.acknowledge(await client.next(frameType.settings));
    client.get(1);
    await client.next(frameType.headers);
    await server.drain(10, 30);
    assert.equal(lastStream(await client.next(frameType.goaway)), highest);
    client.get(3);
    assert.equal((await client.next(frameType.headers)).stream, 3);
    client.acknowledge(await client.next(frameType.ping));
    client.get(5);
    assert.equal((await client.next(frameType.headers)).stream, 5);
    client.acknowledge(await client.next(frameType.ping));
    assert.equal(lastStream(await client.next(frameType.goaway)), 5);
    assert.deepEqual(await server.ask("count", "streams"), { streams: 3 });
    assert.ok((await server.drained()) < 3_000);
  });

  test("gives a client that confirms nothing two seconds", async (t) => {
    const server = await start(t);
    const client = speakFrames(await dial(t, server));
    client.acknowledge(await client.next(frameType.settings));
    await server.drain(10, 30);
    assert.equal(lastStream(await client.next(frameType.goaway)), highest);
    client.get(1);
    assert.equal((await client.next(frameType.headers)).stream, 1);
    assert.equal(lastStream(await client.next(frameType.goaway)), 1);
    const ms = await server.drained();
    assert.ok(ms >= 1_990 && ms < 5_000, `${ms} ms`);
  });

  test("says nothing to a session that begins before its settings are confirmed", async (t) => {
    const server = await start(t);
    const silent = await dial(t, server);
    await server.drain(10, 30);
    const client = speakFrames(silent);
    client.get(1);
    const settings = await client.next(frameType.settings);
    assert.equal((await client.next(frameType.headers)).stream, 1);
    client.acknowledge(settings);
    assert.equal(lastStream(await client.next(frameType.goaway)), highest);
    assert.ok((await server.drained()) < 5_000);
  });

  for (const scheme of ["http", "https"]) {
    test(`waits for a client that reads slowly (${scheme})`, async (t) => {
      const server = await start(t, scheme === "https" ? { SECURE: "1" } : {});
      const dialled =
        scheme === "https" ? await dialSecurely(t, server, { ALPNProtocols: ["h2"] }) : await dial(t, server);
      const client = speakFrames(dialled);
      client.acknowledge(await client.next(frameType.settings));
      client.get(1, "/large");
      await client.next(frameType.headers);
      dialled.socket.pause();
      await server.drain(10, 30);
      const drained = server.drained();
      const deadline = new Promise((resolve) => setTimeout(resolve, 3_500, "not drained"));
      assert.equal(await Promise.race([drained, deadline]), "not drained");
      dialled.socket.resume();
      assert.equal(await client.readAnswer(), 8_000_000);
      await drained;
      // A write that Node does not expect ends the process with an assertion.
      assert.deepEqual(await server.ask("count", "streams"), { streams: 1 });
    });
  }

  test("leaves a session whose client is gone", async (t) => {
    const server = await start(t);
    const { session } = await open(t, server);
    session.request({ ":path": "/20000" }).on("error", () => {});
    await server.ask("count", "streams");
    await server.drain(10, 30);
    session.destroy();
    assert.ok((await server.drained()) < 2_000);
  });
});
