/** Who may connect to the ipc file: its mode and its group. */
import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { e2e } from "../support/naught.js";
import { server } from "../support/servers.js";

const isRoot = process.getuid?.() === 0;
const group = isRoot ? 1 : (process.getgroups?.()[0] ?? 0);
const start = ["start", "--worker-count", "1"];

test(
  "--ipc-group gives the socket to a group, with mode 0660, whatever the umask",
  e2e(async (naught) => {
    const umask = process.umask(0);
    try {
      await naught.succeed([...start, "--ipc-group", String(group), server("http.cjs")]);
    } finally {
      process.umask(umask);
    }
    const { mode, gid } = lstatSync(naught.path("naught.ipc"));
    assert.deepEqual([mode & 0o777, gid], [0o660, group]);
    await naught.succeed(["status"]);
    await naught.succeed(["deploy"]);
    assert.equal(lstatSync(naught.path("naught.ipc")).mode & 0o777, 0o660);
    await naught.succeed(["stop"]);
  }),
);

test(
  "--ipc-mode is taken as it is said",
  e2e(async (naught) => {
    await naught.succeed([...start, "--ipc-mode", "0620", server("http.cjs")]);
    assert.equal(lstatSync(naught.path("naught.ipc")).mode & 0o777, 0o620);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a group that is not there and modes that make no sense are wrong usage",
  e2e(async (naught) => {
    for (const [option, value, said] of [
      ["--ipc-group", "no-such-group", /--ipc-group knows no group "no-such-group"/],
      ["--ipc-group", "-R", /--ipc-group/],
      ["--ipc-mode", "777", /--ipc-mode should be permissions in octal, from 600 to 666, as in 660/],
      ["--ipc-mode", "066", /--ipc-mode should be/],
    ] as const) {
      const { code, stderr } = await naught.run([...start, `${option}=${value}`, server("http.cjs")]);
      assert.deepEqual([code, stderr.trim().split("\n").length], [2, 1], stderr);
      assert.match(stderr, said);
    }
    assert.equal(existsSync(naught.path("naught.ipc")), false);
  }),
);

test(
  "a group that one may not give it to ends the start in one line, and leaves nothing behind",
  { skip: !isRoot && "only root can become somebody else" },
  e2e(async (naught) => {
    const { chmodSync } = await import("node:fs");
    chmodSync(naught.dir, 0o777);
    const { code, stderr } = await naught.run([...start, "--ipc-group", "0", server("http.cjs")], {
      uid: 65534,
    });
    assert.equal(code, 1);
    assert.match(stderr, /unable to start daemon: .*naught\.ipc cannot be opened to group 0: /);
    const left = readdirSync(naught.dir).filter((name) => /ipc|pid/.test(name));
    assert.deepEqual(left, []);
  }),
);
