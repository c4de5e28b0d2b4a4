/** Frames on a socket: what is answered, and what ends the connection. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { encodeFrame } from "../../src/protocol/frames.js";
import { limits } from "../../src/protocol/limits.js";
import { code, framed, hello, onWire } from "../support/protocol-on-wire.js";
import { settled } from "../support/protocol-wire.js";

onWire("an id may be a string, a number or null, and comes back as it was", async (wire) => {
  const ids = [1, "1", "", 0, -1.5, null, "\u{1f600}", "__proto__", "toString"];
  wire.send(...ids.map((id) => hello(id)));
  for (const id of ids) assert.equal((await wire.next()).id, id);
});

onWire("two requests in flight with one id are both answered", async (wire) => {
  wire.send(hello(1), { jsonrpc: "2.0", id: 1, method: "daemon/status" }, hello(1));
  const answers = await wire.take(3);
  assert.deepEqual(
    answers.map(({ result }) => Object.keys(result as object)[0]),
    ["version", "phase", "version"],
  );
});

onWire("a call needs no params; null and an empty array are none, other arrays are refused", async (wire) => {
  wire.send(
    hello(1),
    hello(2, { params: null }),
    hello(3, { params: [] }),
    hello(4, { params: [1] }),
    hello(5, { params: "x" }),
  );
  const answers = await wire.take(5);
  assert.deepEqual(answers.map(code), [
    [1, undefined],
    [2, undefined],
    [3, undefined],
    [4, -32602],
    [5, -32602],
  ]);
  assert.match(answers[3]?.error?.message ?? "", /parameters go by name/);
});

onWire("a well-framed message that is no JSON-RPC is answered, and the connection goes on", async (wire) => {
  const cases: [string | Buffer, unknown, number][] = [
    ["{bad", null, -32700],
    ["", null, -32700],
    [Buffer.from([0x22, 0xff, 0xfe, 0x22]), null, -32700],
    ["7", null, -32600],
    ["null", null, -32600],
    ["[]", null, -32600],
    ["{}", null, -32600],
    ['{"id":3,"method":"daemon/hello"}', 3, -32600],
    ['{"jsonrpc":"1.0","id":"x","method":"daemon/hello"}', "x", -32600],
    ['{"jsonrpc":"2.0","id":4,"method":5}', 4, -32600],
    ['{"jsonrpc":"2.0","id":{},"method":"daemon/hello"}', null, -32600],
    ['{"jsonrpc":"2.0","id":6}', null, -32600],
    ['{"jsonrpc":"2.0","id":7,"error":null}', null, -32600],
  ];
  for (const [body, id, expected] of cases) {
    wire.write(framed(body));
    assert.deepEqual(code(await wire.next()), [id, expected], String(body));
  }
  wire.send(hello("after"));
  assert.equal((await wire.next()).id, "after");
});

onWire(
  "answers nobody asked for, cancellations and other library notifications are ignored",
  async (wire) => {
    const notify = (method: string, params?: unknown) => ({ jsonrpc: "2.0", method, params });
    wire.send(
      { jsonrpc: "2.0", id: 1, result: {} },
      { jsonrpc: "2.0", id: null, error: { code: 1, message: "" } },
    );
    wire.send({ jsonrpc: "2.0", id: "0", error: "text" }, notify("$/progress"), notify("$/logTrace", null));
    for (const params of [undefined, null, [], 7, { id: null }, { id: {} }, { id: 1 }])
      wire.send(notify("$/cancelRequest", params));
    wire.send(
      notify("daemon/nope"),
      notify("daemon/deploy", { timeout: -1 }),
      hello(1),
      notify("$/cancelRequest", { id: 2 }),
      hello(2),
    );
    assert.deepEqual((await wire.take(2)).map(code), [
      [1, undefined],
      [2, undefined],
    ]);
  },
);

let stopped = 0;
onWire(
  "a notification for a request method is carried out and not answered",
  async (wire) => {
    wire.send({ jsonrpc: "2.0", method: "daemon/stop" }, hello(1));
    assert.equal((await wire.next()).id, 1);
    assert.equal(stopped, 1);
  },
  {
    stop() {
      stopped += 1;
      return {};
    },
  },
);

onWire("nobody can ask for more workers than a machine bears", async (wire) => {
  wire.send({ jsonrpc: "2.0", id: 1, method: "daemon/deploy", params: { workerCount: 1025 } });
  const { error } = await wire.next();
  assert.deepEqual(
    [error?.code, error?.data],
    [-32602, [{ path: "workerCount", expected: "an integer from 0 to 1024" }]],
  );
});

onWire("a huge method name is not echoed whole", async (wire) => {
  wire.send({ jsonrpc: "2.0", id: 1, method: "x".repeat(1_000_000) });
  const { error } = await wire.next();
  assert.equal(error?.code, -32601);
  assert.ok((error?.message.length ?? 0) < 300);
});

onWire("deep nesting and myriads of values are refused, whatever they are part of", async (wire) => {
  const bodies = [
    "[".repeat(limits.message),
    '{"a":'.repeat(500_000),
    `[${"1,".repeat(1_000_000)}1]`,
    `[${"{},".repeat(1_000_000)}{}]`,
  ];
  for (const body of bodies) {
    wire.write(framed(body));
    assert.deepEqual(code(await wire.next()), [null, -32600]);
  }
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  wire.write(framed(`{"jsonrpc":"2.0","id":1,"method":"daemon/hello","params":{"x":${nested(62)}}}`));
  wire.write(framed(`{"jsonrpc":"2.0","id":2,"method":"daemon/hello","params":{"x":${nested(63)}}}`));
  assert.deepEqual((await wire.take(2)).map(code), [
    [1, undefined],
    [null, -32600],
  ]);
});

let deployed: unknown;
onWire(
  "__proto__ is a key like any other, and lone surrogates stay what they are",
  async (wire) => {
    wire.write(
      framed(
        '{"jsonrpc":"2.0","id":1,"method":"daemon/deploy","params":{"__proto__":{"id":"evil"},"constructor":1,"env":{"__proto__":"x","A":"\\ud800"}}}',
      ),
    );
    assert.equal((await wire.next()).id, 1);
    const { id, env } = deployed as { id?: string; env: Record<string, string> };
    assert.equal(id, undefined);
    assert.deepEqual(Object.entries(env), [
      ["__proto__", "x"],
      ["A", "\ud800"],
    ]);
    assert.equal(({} as { id?: string }).id, undefined);
    wire.write(framed('{"jsonrpc":"2.0","id":"\\udc00","method":"daemon/hello"}'));
    assert.equal((await wire.next()).id, "\udc00");
  },
  {
    deploy(params) {
      deployed = params;
      return settled;
    },
  },
);

const broken: readonly (readonly [name: string, bytes: string | Buffer])[] = [
  ["HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
  ["HTTP that is not complete", "GET / HTT"],
  ["a TLS hello", Buffer.from("16030100f8010000f40303", "hex")],
  ["a negative Content-Length", "Content-Length: -1\r\n\r\n"],
  ["no number", "Content-Length: 1e3\r\n\r\n"],
  ["two Content-Lengths", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"],
  ["no Content-Length", "Content-Type: x\r\n\r\n{}"],
  ["an empty header", "\r\n\r\n{}"],
  ["10 GB", "Content-Length: 10000000000\r\n\r\n"],
  ["a header over the limit", `Content-Type: ${"x".repeat(limits.header)}`],
  ["spaces without end", `Content-Length:${" ".repeat(limits.header)}`],
];
for (const [name, bytes] of broken) {
  onWire(`${name}: one error, then the end; what was asked before is answered`, async (wire) => {
    wire.send(hello(1));
    assert.equal((await wire.next()).id, 1);
    wire.write(bytes);
    assert.deepEqual(code(await wire.next()), [null, -32600]);
    await wire.closed;
    assert.equal(wire.frames.length, 2);
  });
}

onWire("other headers are tolerated, and names in any case", async (wire) => {
  const body = JSON.stringify(hello(1));
  wire.write(
    `Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:${body.length}\r\n\r\n${body}`,
  );
  assert.equal((await wire.next()).id, 1);
});

onWire("messages may come byte by byte, also within a character", async (wire) => {
  for (const byte of encodeFrame(hello("ä€😀"))) {
    wire.write(Buffer.from([byte]));
    await sleep(0);
  }
  assert.equal((await wire.next()).id, "ä€😀");
});
