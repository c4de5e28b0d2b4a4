/** What is on its way while a deploy goes on, apart from plain requests: streams, events, websockets, uploads. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { type Dial, watch } from "../support/draining.js";
import { e2e, type Naught } from "../support/naught.js";
import { server } from "../support/servers.js";

interface Case {
  readonly what: string;
  /** Sent before the deploy, which begins when `before` has come. */
  readonly sends: string;
  readonly before: string;
  /** Sent when the old worker was asked to go. */
  readonly during?: string;
  /** Everything that has come when the server has closed the connection. */
  readonly gets: RegExp;
  /** Milliseconds that the deploy may take. */
  readonly within: number;
}

const get = (path: string, ...headers: readonly string[]) =>
  [`GET ${path} HTTP/1.1`, "Host: a", ...headers, "", ""].join("\r\n");
// The answer to `/late` comes a second after its request: by then the worker knows that it has to go.
const continued = "HTTP/1.1 100 Continue\r\n\r\n";

const cases: readonly Case[] = [
  {
    what: "a stream of five seconds comes to its end",
    sends: get("/stream"),
    before: "tick",
    gets: /^HTTP\/1\.1 200 OK\r\n(?:[\s\S]*?tick){50}[\s\S]*end\r\n0\r\n\r\n$/,
    within: 14_000,
  },
  {
    what: "an event stream is not waited for: its application is told shutdown, and ends it",
    sends: get("/events"),
    before: "data: 1",
    gets: /data: 1\n\n[\s\S]*bye\r\n0\r\n\r\n$/,
    within: 4_000,
  },
  {
    what: "a websocket is not waited for: its application is told shutdown, and ends it",
    sends: get("/", "Connection: Upgrade", "Upgrade: echo"),
    before: "101 Up",
    during: "still here",
    gets: /^HTTP\/1\.1 101 Up[\s\S]*bye$/,
    within: 4_000,
  },
  {
    what: "an upload goes on, chunk by chunk",
    sends:
      "POST /late HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n",
    before: continued,
    during: "6\r\n world\r\n0\r\n\r\n",
    gets: /\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*connection: close[\s\S]*got 11/i,
    within: 6_000,
  },
  {
    what: "a client that waits for 100 Continue gets it, and then its answer",
    sends: `${get("/")}POST /late HTTP/1.1\r\nHost: a\r\n`,
    before: "got 0",
    during: "Content-Length: 3\r\nExpect: 100-continue\r\n\r\nabc",
    gets: /got 0HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*connection: close[\s\S]*got 3/i,
    within: 6_000,
  },
  {
    what: "a client that speaks HTTP/1.0 gets its answer, and the end of the connection",
    sends: "POST /late HTTP/1.0\r\nContent-Length: 5\r\n\r\nhel",
    before: "",
    during: "lo",
    gets: /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n[\s\S]*got 5$/i,
    within: 6_000,
  },
  {
    what: "pipelined requests are all answered, and the connection ends with the last",
    sends: `${get("/late")}${get("/late")}${get("/late")}GET /la`,
    before: "",
    during: "te HTTP/1.1\r\nHost: a\r\n\r\n",
    gets: /^(?:HTTP\/1\.1 200 OK\r\n(?:(?!connection: close)[\s\S])*?got 0){3}HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n[\s\S]*got 0$/i,
    within: 9_000,
  },
];

for (const { what, sends, before, during, gets, within } of cases) {
  test(
    what,
    e2e(async (naught) => {
      await naught.succeed(["start", server("streams.cjs")]);
      const client = await dial(naught);
      client.socket.write(sends);
      await client.until(before);
      const began = performance.now();
      const deploy = naught.spawn(["deploy"]);
      await deploy.said("stderr", "ShutdownOld");
      if (during !== undefined) client.socket.write(during);
      assert.match(await client.closed(), gets);
      assert.equal((await deploy.finished).code, 0);
      const ms = performance.now() - began;
      assert.ok(ms < within, `${Math.round(ms)} ms`);
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "an application that ignores shutdown keeps its event streams and websockets until --shutdown-timeout",
  e2e(async (naught) => {
    const options = { env: { FAREWELL: "no" } };
    await naught.succeed(["start", "--shutdown-timeout", "2", server("streams.cjs")], options);
    const [events, socket] = [await dial(naught), await dial(naught)];
    events.socket.write(get("/events"));
    socket.socket.write(get("/", "Connection: Upgrade", "Upgrade: echo"));
    await Promise.all([events.until("data: 1"), socket.until("101 Up")]);
    const began = performance.now();
    const deploy = naught.spawn(["deploy"], options);
    await deploy.said("stderr", "ShutdownOld");
    socket.socket.write("still here");
    await socket.until("still here");
    await Promise.all([events.closed(), socket.closed()]);
    const ms = performance.now() - began;
    assert.ok(ms >= 2_000 && ms < 6_000, `${Math.round(ms)} ms`);
    assert.equal((await deploy.finished).code, 0);
    await naught.succeed(["stop"]);
  }),
);

async function dial(naught: Naught): Promise<Dial> {
  const socket = connect(naught.port, naught.host);
  await once(socket, "connect");
  return watch(naught.defer, socket);
}
