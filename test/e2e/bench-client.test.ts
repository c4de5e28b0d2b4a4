/** The open-loop client of the benchmarks tells the truth: what a server does to it is reported for what it is. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openLoad } from "../../bench/client/open-load.js";
import type { OpenShape, PhaseReport } from "../../bench/client/open-words.js";
import { type Asked, answerWith, bodyFor, chunk, listen } from "../support/net-server.js";
import { ownAddress, port } from "../support/temp.js";

/** Brisk, so that a test with a misbehaving server is over soon. */
const kept = { rate: 100, connections: 2, fresh: 0, timeoutMs: 1_000 };
const fresh = { ...kept, fresh: 1 };

test("a server that is not there: refused", async (t) => {
  const load = openLoad({ host: ownAddress(), port, defer: (end) => t.after(end) }, kept, "all");
  await new Promise((resolve) => setTimeout(resolve, 500));
  assertOnly((await load.stop()).phases.all, "refused");
});

test("a new connection that is reset, or closed, before the first byte: resetFresh", async (t) => {
  assertOnly(await provoke(t, fresh, ({ socket }) => socket.resetAndDestroy()), "resetFresh");
  assertOnly(await provoke(t, kept, ({ socket }) => socket.end()), "resetFresh");
});

test("a reused connection that is reset, or closed, before the first byte: resetReused", async (t) => {
  for (const cut of ["resetAndDestroy", "end"] as const) {
    const report = await provoke(t, kept, ({ socket, id, onConnection }) =>
      onConnection === 1 ? socket.write(answerWith(bodyFor(id))) : socket[cut](),
    );
    assertOnly(report, "resetReused");
    assert.ok(report.ok > 0 && report.reused > 0);
  }
});

test("a response that ends too soon: truncated", async (t) => {
  const endings: ((asked: Asked) => unknown)[] = [
    ({ socket, id }) => socket.end(answerWith(bodyFor(id)).slice(0, -5)),
    ({ socket }) => socket.end("HTTP/1.1 200 OK\r\nContent-"),
    ({ socket, id }) =>
      socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(bodyFor(id))}`),
  ];
  for (const cut of endings) assertOnly(await provoke(t, kept, cut), "truncated");
});

test("a server that hangs: timeout, also for requests that never got a connection", async (t) => {
  const report = await provoke(t, { ...kept, timeoutMs: 300 }, () => undefined, 2, 900);
  assertOnly(report, "timeout");
  // Two connections, and a hundred requests a second that fell due meanwhile: they are not forgotten.
  assert.ok(report.asked > 50, `${report.asked} asked`);
  assert.ok(report.details.length > 0);
});

test("wrong statuses and wrong bodies are failures", async (t) => {
  const unavailable = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
  assertOnly(await provoke(t, kept, ({ socket }) => socket.write(unavailable)), "badStatus");
  const other = answerWith(bodyFor("somebody-else"));
  assertOnly(await provoke(t, kept, ({ socket }) => socket.write(other)), "badBody");
});

test("latency counts from when a request was due, also when an earlier one held its connection", async (t) => {
  // One connection, and every answer takes 100 ms: it can carry ten requests a second, and twenty fall due.
  const report = await provoke(
    t,
    { ...kept, rate: 20, connections: 1, timeoutMs: 5_000 },
    ({ socket, id }) => setTimeout(() => socket.write(answerWith(bodyFor(id))), 100),
    1,
    2_000,
  );
  assert.deepEqual(report.failures, {});
  assert.ok(report.ok > 20, `${report.ok} answered`);
  assert.ok(
    report.latency.max > 500,
    `the longest took ${report.latency.max} ms: a closed loop would say 100`,
  );
});

test("a stall shows in the latency of everything that fell due in it, and as silence", async (t) => {
  let stalledUntil = 0;
  const report = await provoke(
    t,
    { ...kept, connections: 8, timeoutMs: 5_000 },
    ({ socket, id, total }) => {
      if (total === 20) stalledUntil = performance.now() + 500;
      setTimeout(() => socket.write(answerWith(bodyFor(id))), Math.max(0, stalledUntil - performance.now()));
    },
    20,
    1_000,
  );
  assert.deepEqual(report.failures, {});
  assert.ok(report.silenceMs > 450, `silent for ${report.silenceMs} ms`);
  assert.ok(report.latency.p90 > 100, `p90 is ${report.latency.p90} ms`);
});

test("an idle connection that the server closes is no failure", async (t) => {
  const shape = { ...kept, rate: 10, connections: 1 };
  const report = await provoke(t, shape, ({ socket, id }) => socket.end(answerWith(bodyFor(id))), 5);
  assert.deepEqual(report.failures, {});
  assert.ok(report.idleCloses > 0);
  assert.equal(report.reused, 0);
});

test("Connection: close and a promised time are honoured", async (t) => {
  let longest = 0;
  for (const head of ["Connection: close\r\n", "Keep-Alive: timeout=0\r\n"]) {
    const report = await provoke(t, kept, ({ socket, id, onConnection }) => {
      longest = Math.max(longest, onConnection);
      socket.write(answerWith(bodyFor(id), head));
    });
    assert.deepEqual(report.failures, {});
  }
  assert.equal(longest, 1);
});

test("requests are booked in the phase in which they fell due", async (t) => {
  const defer = (cleanup: () => unknown) => void t.after(cleanup);
  let broken = false;
  const server = await listen(defer, ({ socket, id }) => {
    if (broken) socket.destroy();
    else socket.write(answerWith(bodyFor(id)));
  });
  const load = openLoad({ ...server, defer }, kept, "good");
  await load.ready;
  await new Promise((resolve) => setTimeout(resolve, 500));
  load.phase("between");
  await new Promise((resolve) => setTimeout(resolve, 300));
  broken = true;
  load.phase("bad");
  await new Promise((resolve) => setTimeout(resolve, 500));
  const { phases } = await load.stop();
  assert.deepEqual(phases.good?.failures, {});
  assert.ok((phases.good?.ok ?? 0) > 10);
  assert.ok(Object.keys(phases.bad?.failures ?? {}).length > 0);
  for (const { asked, ok, failures } of Object.values(phases)) {
    const failed = Object.values(failures).reduce((sum, each) => sum + each, 0);
    assert.equal(ok + failed, asked, "every request is entered exactly once");
  }
});

/** Puts load on a server of this behaviour until it was asked a few times, and for so long; reports. */
async function provoke(
  t: TestContext,
  shape: Partial<OpenShape>,
  onRequest: (asked: Asked) => unknown,
  requests = 6,
  ms = 0,
): Promise<PhaseReport> {
  const defer = (cleanup: () => unknown) => void t.after(cleanup);
  const server = await listen(defer, onRequest);
  const load = openLoad({ ...server, defer }, shape, "all");
  await server.asked(requests);
  await new Promise((resolve) => setTimeout(resolve, ms));
  const { all } = (await load.stop()).phases;
  assert.ok(all, "no report");
  return all;
}

function assertOnly(report: PhaseReport | undefined, kind: string): asserts report {
  assert.deepEqual(Object.keys(report?.failures ?? {}), [kind], JSON.stringify(report, null, 1));
}
