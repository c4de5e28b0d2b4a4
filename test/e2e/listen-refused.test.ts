/** Sockets that cannot be had: one clear line, an exit code, and nothing half-started. */
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { assertRefused, type Given, startGiven } from "../support/given.js";
import { e2e, type Naught } from "../support/naught.js";
import { server } from "../support/servers.js";

const script = server("listen-inherited.cjs");
const tcp = ({ host, port }: Naught): Given => ({ host, port });
const here = ["--daemon-mode", "false"];
const own = { LISTEN_FDS: "1", LISTEN_PID: "own" };
const cannot = "unable to start daemon: ";

for (const [what, given, env, args, line] of [
  [
    "LISTEN_FD without a number",
    {},
    { LISTEN_FD: "three" },
    [],
    `${cannot}LISTEN_FD should be the number of a file descriptor, not "three"`,
  ],
  [
    "LISTEN_FD that is not open",
    {},
    { LISTEN_FD: "9" },
    [],
    `${cannot}LISTEN_FD: file descriptor 9 is not an open socket`,
  ],
  [
    "LISTEN_FD of a file",
    { state: "file" },
    { LISTEN_FD: "3" },
    [],
    `${cannot}LISTEN_FD: file descriptor 3 is not an open socket`,
  ],
  [
    "LISTEN_FD of a connected socket",
    { state: "connected" },
    { LISTEN_FD: "3" },
    [],
    `${cannot}LISTEN_FD: file descriptor 3 is a socket that does not listen`,
  ],
  [
    "LISTEN_FD of a datagram socket",
    { state: "datagram" },
    { LISTEN_FD: "3" },
    here,
    `${cannot}LISTEN_FD: file descriptor 3 is a socket that does not listen`,
  ],
  [
    "more names than sockets",
    {},
    { ...own, LISTEN_FDNAMES: "web:admin" },
    here,
    `${cannot}LISTEN_FDNAMES has 2 names for 1 socket: web:admin`,
  ],
  [
    "fewer sockets than systemd says",
    {},
    { ...own, LISTEN_FDS: "7" },
    here,
    /^unable to start daemon: LISTEN_FDS: file descriptor \d+ is not an open socket$/,
  ],
  [
    "sockets from systemd for a daemon",
    {},
    own,
    [],
    /^naught start: sockets from systemd need --daemon-mode false \(see: naught help start\)$/,
  ],
] as const) {
  test(
    `${what} is refused in one line`,
    e2e(async (naught) => {
      const socket = { ...tcp(naught), ...given } as Given;
      await assertRefused(naught, startGiven(naught, [socket], { env, args: [...args, script] }), line);
    }),
  );
}

test(
  "an address that somebody else uses fails the start with Node's own words",
  e2e(async (naught) => {
    const { host, port } = naught;
    const other = createServer().listen({ host, port });
    naught.defer(() => other.close());
    const end = await naught.run(["start", server("http.cjs")]);
    assert.equal(end.code, 1);
    const told = end.stderr.split("\n").filter((line) => line.includes("EADDRINUSE: "));
    assert.deepEqual(told, [`    Error: listen EADDRINUSE: address already in use ${host}:${port}`]);
  }),
);

test(
  "a descriptor that naught was not given is no socket to listen on",
  e2e(async (naught) => {
    for (const env of [{ MODE: "wrong" }, { MODE: "wrong", LISTEN_FD: "3" }]) {
      const running = startGiven(naught, [tcp(naught)], { env, args: [script] });
      const { code, stderr } = await running.finished;
      assert.equal(code, 1);
      assert.match(stderr, /Error: listen EBADF: bad file descriptor$/m);
    }
  }),
);
