/** Which variables never pass: what belongs to one process is not handed on to another. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cleanEnvironment } from "../../src/actors/environment.js";

const ours = [
  "NAUGHT_WORKER",
  "NAUGHT_",
  "NAUGHT_ANYTHING\nELSE",
  "NODE_CHANNEL_FD",
  "NODE_CHANNEL_SERIALIZATION_MODE",
  "NODE_UNIQUE_ID",
  "LISTEN_FD",
  "LISTEN_FDS",
  "LISTEN_PID",
  "LISTEN_FDNAMES",
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
];
const others = [
  "PATH",
  "NODE_ENV",
  "NODE_OPTIONS",
  "NODE_UNIQUE_ID_2",
  "NOTIFY_SOCKETS",
  "MY_NAUGHT_X",
  "naught_worker",
  "NAUGHT",
  "LISTEN",
  "listen_fds",
  "PORT",
  "",
];

test("naught's, Node's and the service manager's variables stay behind, and no others", () => {
  const env = Object.fromEntries([...ours, ...others].map((name) => [name, `value of ${name}`]));
  assert.deepEqual(Object.keys(cleanEnvironment(env)).sort(), [...others].sort());
  for (const name of others)
    assert.equal(
      Object.entries(cleanEnvironment(env)).find(([key]) => key === name)?.[1],
      `value of ${name}`,
    );
});

test("a variable with an unusual name is kept", () => {
  const env = Object.fromEntries([["__proto__", "odd"]]);
  assert.deepEqual(Object.entries(cleanEnvironment(env)), [["__proto__", "odd"]]);
});

test("an environment is copied, not changed", () => {
  const env = { LISTEN_FDS: "1", PORT: "80" };
  cleanEnvironment(env);
  assert.deepEqual(env, { LISTEN_FDS: "1", PORT: "80" });
});
