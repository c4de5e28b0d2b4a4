/** The drain of servers that are not plain http. */
import assert from "node:assert/strict";
import { once } from "node:events";
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

const closing = /\r\nconnection: close\r\n/i;

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

describe("the drain", { concurrency: 4, timeout: 60_000 }, () => {
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

  test("leaves no trace of a server that was closed before", async (t) => {
    const server = await startServer(t, preload.path, "drain-forgotten.cjs", {}, ["--expose-gc"]);
    assert.deepEqual(await server.ask("", "forgotten"), { forgotten: true });
  });
});

async function idleSecure(t: TestContext, server: Draining): Promise<Dial> {
  const idle = await dialSecurely(t, server);
  idle.get("/0");
  await idle.until("ok");
  return idle;
}

function assertBetween(actual: number, least: number, most: number): void {
  assert.ok(actual >= least && actual <= most, `${Math.round(actual)} ms, not ${least} to ${most}`);
}
