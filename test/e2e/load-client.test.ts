/** The load client tells the truth: whatever a server does to it is reported for what it is. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { assertUnhurt, openLoad, startLoad } from "../support/load.js";
import type { Report, Shape } from "../support/load-report.js";
import { type Asked, answerWith, bodyFor, chunk, listen } from "../support/net-server.js";
import { ownAddress, port } from "../support/temp.js";

/** Brisk, so that a test with a misbehaving server is over soon. */
const brisk = { keepAlive: 1, fresh: 0, slow: 0, pauseMs: 5, idleMs: 5, timeoutMs: 2_000 };
const onlyFresh = { ...brisk, keepAlive: 0, fresh: 1 };

test("a server that is not there: refused", async (t) => {
  const load = openLoad({ host: ownAddress(), port, defer: (end) => t.after(end) }, { ...brisk, fresh: 1 });
  assertOnly(await load.stop(), "refused");
});

test("a fresh connection that is reset before the first byte: resetFresh", async (t) => {
  assertOnly(await provoke(t, onlyFresh, ({ socket }) => socket.resetAndDestroy()), "resetFresh");
});

test("a fresh connection that is closed before the first byte: resetFresh", async (t) => {
  assertOnly(await provoke(t, brisk, ({ socket }) => socket.end()), "resetFresh");
});

test("a reused connection that is reset before the first byte: resetReused", async (t) => {
  const report = await provoke(t, brisk, ({ socket, id, onConnection }) =>
    onConnection === 1 ? socket.write(answerWith(bodyFor(id))) : socket.resetAndDestroy(),
  );
  assertOnly(report, "resetReused");
  assert.ok(report.ok > 0);
});

test("a reused connection that is closed before the first byte: resetReused", async (t) => {
  const report = await provoke(t, brisk, ({ socket, id, onConnection }) =>
    onConnection === 1 ? socket.write(answerWith(bodyFor(id))) : socket.end(),
  );
  assertOnly(report, "resetReused");
});

test("a body that ends too soon: truncated", async (t) => {
  assertOnly(
    await provoke(t, brisk, ({ socket, id }) => socket.end(answerWith(bodyFor(id)).slice(0, -5))),
    "truncated",
  );
});

test("a head that ends too soon: truncated", async (t) => {
  assertOnly(await provoke(t, brisk, ({ socket }) => socket.end("HTTP/1.1 200 OK\r\nContent-")), "truncated");
});

test("chunks without the last one: truncated", async (t) => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  assertOnly(await provoke(t, brisk, ({ socket, id }) => socket.end(head + chunk(bodyFor(id)))), "truncated");
});

test("a reset in the middle of a body: truncated", async (t) => {
  const report = await provoke(t, brisk, ({ socket, id }) => {
    socket.write(answerWith(bodyFor(id)).slice(0, -5), () => setTimeout(() => socket.resetAndDestroy(), 50));
  });
  assertOnly(report, "truncated");
});

test("no answer: timeout", async (t) => {
  assertOnly(await provoke(t, { ...brisk, timeoutMs: 300 }, () => undefined, 2), "timeout");
});

test("an answer that never ends: timeout", async (t) => {
  const report = await provoke(
    t,
    { ...brisk, timeoutMs: 300 },
    ({ socket }) => socket.write("HTTP/1.1 200 OK\r\n"),
    2,
  );
  assertOnly(report, "timeout");
});

test("an answer that is late, but comes: a success", async (t) => {
  const report = await provoke(t, brisk, ({ socket, id }) => {
    setTimeout(() => socket.write(answerWith(bodyFor(id))), 200);
  });
  assertUnhurt(report);
  assert.ok(report.latency.p50 >= 199, `p50 is ${report.latency.p50}`);
});

test("another status: badStatus", async (t) => {
  const answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  assertOnly(await provoke(t, brisk, ({ socket }) => socket.write(answer)), "badStatus");
});

for (const [what, text] of [
  ["another request's body", answerWith(bodyFor("somebody-else"))],
  ["a body that is no JSON", answerWith("hello")],
  ["a body that does not say who made it", answerWith("{}")],
  ["something that is no HTTP", "220 smtp.example.com ready\r\n\r\n"],
] as const) {
  test(`${what}: badBody`, async (t) => {
    assertOnly(await provoke(t, brisk, ({ socket }) => socket.write(text)), "badBody");
  });
}

test("more bytes than the response has: badBody", async (t) => {
  assertOnly(
    await provoke(t, brisk, ({ socket, id }) => socket.write(`${answerWith(bodyFor(id))}more`)),
    "badBody",
  );
});

test("an idle connection that the server closes is no failure", async (t) => {
  const slow = { ...brisk, pauseMs: 1_000, idleMs: 1_000 };
  const report = await provoke(t, slow, ({ socket, id }) => socket.end(answerWith(bodyFor(id))), 4);
  assertUnhurt(report);
  assert.ok(report.idleCloses >= 3, `${report.idleCloses} idle closes`);
  assert.equal(report.reused, 0);
});

test("a connection is reused", async (t) => {
  let connections = 0;
  const report = await provoke(t, brisk, ({ socket, id, onConnection }) => {
    if (onConnection === 1) connections += 1;
    socket.write(answerWith(bodyFor(id)));
  });
  assertUnhurt(report);
  assert.equal(connections, 1);
  assert.equal(report.reused, report.ok - 1);
});

test("a connection is never reused when it was idle for longer than the server had advertised", async (t) => {
  const lastAt = new Map<Asked["socket"], number>();
  let longest = 0;
  const idle = { ...brisk, keepAlive: 8, pauseMs: 2_000, idleMs: 2_000 };
  const report = await provoke(
    t,
    idle,
    ({ socket, id }) => {
      longest = Math.max(longest, performance.now() - (lastAt.get(socket) ?? performance.now()));
      lastAt.set(socket, performance.now());
      socket.write(answerWith(bodyFor(id), "Keep-Alive: timeout=1\r\n"));
    },
    40,
  );
  assertUnhurt(report);
  assert.ok(report.reused > 0 && longest < 1_000, `${report.reused} reused, after ${longest} ms at most`);
});

test("Connection: close is honoured", async (t) => {
  let longest = 0;
  const report = await provoke(t, brisk, ({ socket, id, onConnection }) => {
    longest = Math.max(longest, onConnection);
    socket.write(answerWith(bodyFor(id), "Connection: close\r\n"));
  });
  assertUnhurt(report);
  assert.equal(longest, 1);
});

test("chunks, interim responses and bytes that come one by one are understood", async (t) => {
  const report = await provoke(t, brisk, ({ socket, id, total }) => {
    const body = bodyFor(id);
    const chunked = `Transfer-Encoding: chunked\r\n\r\n${chunk(body.slice(0, 9))}${chunk(body.slice(9))}0\r\n\r\n`;
    const answer = total % 2 === 0 ? answerWith(body) : `HTTP/1.1 200 OK\r\n${chunked}`;
    socket.setNoDelay(true);
    for (const byte of `HTTP/1.1 102 Processing\r\n\r\n${answer}`) socket.write(byte);
  });
  assertUnhurt(report);
});

test("it tells which versions answered, and from when until when", async (t) => {
  let version = "1";
  const server = await listen(
    (end) => t.after(end),
    ({ socket, id }) => socket.write(answerWith(bodyFor(id, version))),
  );
  const load = await startLoad(
    { ...server, defer: (end) => t.after(end) },
    { ...brisk, keepAlive: 3, slow: 1 },
  );
  await load.saw("1");
  const changedAt = Date.now();
  version = "2";
  await load.saw("2");
  const report = await load.stop();
  assertUnhurt(report);
  assert.deepEqual(Object.keys(report.versions), ["1", "2"]);
  assert.ok((report.versions["1"]?.lastAskedAt ?? Number.POSITIVE_INFINITY) <= changedAt);
  assert.ok((report.versions["2"]?.firstAt ?? 0) >= changedAt);
});

/** Puts load on a server of this behaviour until it was asked a few times, and reports. */
async function provoke(
  t: TestContext,
  shape: Partial<Shape>,
  onRequest: (asked: Asked) => unknown,
  requests = 6,
): Promise<Report> {
  const defer = (cleanup: () => unknown) => void t.after(cleanup);
  const server = await listen(defer, onRequest);
  const load = openLoad({ ...server, defer }, shape);
  await server.asked(requests);
  return load.stop();
}

function assertOnly(report: Report, kind: string): void {
  assert.deepEqual(Object.keys(report.failures), [kind], JSON.stringify(report, null, 1));
}
