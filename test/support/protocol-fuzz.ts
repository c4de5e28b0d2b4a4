/** Makes what a fuzz run throws at a protocol: any JSON, and frames that are almost right. Everything comes from one seed. */
import type { Random } from "./random.js";

/** Whatever they are called with, the server stays up. */
export const harmless = ["hello", "start", "status", "attachDeploy", "abortDeploy", "watch", "nope"];
const every = [...harmless, "deploy", "stop"];
const names = [
  "id",
  "workerCount",
  "env",
  "args",
  "deploy",
  "timeout",
  "script",
  "logs",
  "__proto__",
  "constructor",
  "",
  "x",
];
const scalars = [
  null,
  true,
  false,
  0,
  -1,
  1,
  0.5,
  1e308,
  -0,
  2 ** 32,
  2 ** 53,
  "",
  "a",
  "/srv/app",
  "\ud800",
  "\u0000",
  "😀",
  "done",
];
const ids = [0, 1, 1, "1", "a", null, -1, 0.5, {}, [], true];
const headers = [
  "Content-Length: ",
  "content-length:",
  "Content-Length:-",
  "Content-Length: 0x",
  "Content-Type: x\r\nContent-Length: ",
  "",
];
const texts = [
  "GET / HTTP/1.1\r\n\r\n",
  "\r\n\r\n",
  "\u0016\u0003\u0001",
  "Content-Length: 99999999999\r\n\r\n",
  "[[[[",
  '{"',
  "\u00ff\u00fe",
];

export interface Input {
  readonly bytes: Buffer;
  /** The body, when the input is exactly one frame. */
  readonly body: Buffer | undefined;
}

export interface Fuzz {
  value(depth?: number): unknown;
  input(): Input;
}

export function openFuzz(random: Random, methods: readonly string[] = every): Fuzz {
  const below = (limit: number): number => random.pick(limit < 2 ? [0] : range(limit));
  const value = (depth = 3): unknown => {
    const kind = depth === 0 ? "scalar" : random.pick(["scalar", "scalar", "array", "object"] as const);
    if (kind === "scalar") return random.pick(scalars);
    const members = range(below(5)).map(() => value(depth - 1));
    // fromEntries defines, as a parser does; it never sets a prototype.
    return kind === "array"
      ? members
      : Object.fromEntries(members.map((member) => [random.pick(names), member]));
  };
  const message = (): unknown => {
    const kind = random.pick(["call", "call", "call", "answer", "cancel", "any"] as const);
    const id = random.pick([true, true, true, false]) ? random.pick(ids) : undefined;
    const jsonrpc = random.pick(["2.0", "2.0", "2.0", "2.0", "1.0", 2]);
    if (kind === "any") return value();
    if (kind === "cancel")
      return {
        jsonrpc,
        method: random.pick(["$/cancelRequest", "$/progress", "$/logTrace"]),
        params: value(2),
      };
    if (kind === "answer") return { jsonrpc, id, [random.pick(["result", "error"])]: value(2) };
    return {
      jsonrpc,
      id,
      method: random.pick([`daemon/${random.pick(methods)}`, value(1)]),
      params: value(),
    };
  };
  const damage = (bytes: Buffer): Buffer => {
    const at = below(Math.min(bytes.length, 400));
    const byte = Buffer.from([below(256)]);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    switch (random.pick(["flip", "insert", "delete", "cut", "repeat"] as const)) {
      case "flip":
        return Buffer.concat([before, byte, after.subarray(1)]);
      case "insert":
        return Buffer.concat([before, byte, after]);
      case "delete":
        return Buffer.concat([before, after.subarray(below(20))]);
      case "cut":
        return before;
      case "repeat":
        return Buffer.concat([before, after, after]);
    }
  };
  const noise = (): Buffer => Buffer.from(range(below(200)).map(() => below(256)));
  const frame = (body: Buffer): Buffer =>
    Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
  return {
    value,
    input() {
      const isBatch = random.pick([false, false, false, true]);
      const body = Buffer.from(JSON.stringify(isBatch ? range(below(5)).map(message) : message()));
      switch (
        random.pick([
          "valid",
          "valid",
          "body",
          "body",
          "frame",
          "frame",
          "header",
          "noise",
          "text",
          "many",
        ] as const)
      ) {
        case "valid":
          return { bytes: frame(body), body };
        case "body": {
          const damaged = damage(body);
          return { bytes: frame(damaged), body: damaged };
        }
        case "frame":
          return { bytes: damage(frame(body)), body: undefined };
        case "header":
          return {
            bytes: Buffer.concat([Buffer.from(`${random.pick(headers)}${body.length}\r\n\r\n`), body]),
            body: undefined,
          };
        case "noise":
          return { bytes: noise(), body: undefined };
        case "text":
          return {
            bytes: Buffer.concat([Buffer.from(random.pick(texts), "latin1"), noise()]),
            body: undefined,
          };
        case "many":
          return { bytes: Buffer.concat(range(5).map(() => frame(body))), body: undefined };
      }
    },
  };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}
