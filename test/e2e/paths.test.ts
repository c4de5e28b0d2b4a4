/** The paths of ipc file and pid file: what may stand there, what is removed, and who may read it. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import { ask, assertRefused, hold, mode, names } from "../support/held-files.js";
import { e2e, type Naught } from "../support/naught.js";
import { launch } from "../support/running.js";
import { leaveStaleSocket } from "../support/stale.js";
import { until } from "../support/wait.js";

const files = ["naught.ipc", "naught.ipc.owner", "naught.pid"];

interface Thing {
  readonly what: string;
  readonly make: (naught: Naught, path: string) => void | Promise<void>;
  readonly removable: boolean;
}

const make = (naught: Naught, command: string, ...args: string[]) =>
  launch(command, args, { cwd: naught.dir, env: naught.env }).finished;
const things: readonly Thing[] = [
  { what: "an ordinary file", removable: true, make: (_, path) => writeFileSync(path, "mine") },
  { what: "a directory", removable: false, make: (_, path) => void mkdirSync(path) },
  { what: "a symbolic link", removable: true, make: (_, path) => symlinkSync("nowhere", path) },
  {
    what: "a symbolic link",
    removable: true,
    make(naught, path) {
      naught.write("target", "mine");
      symlinkSync("target", path);
    },
  },
  {
    what: "a symbolic link",
    removable: true,
    async make(naught, path) {
      await leaveStaleSocket(naught, "target");
      symlinkSync("target", path);
    },
  },
  { what: "a symbolic link", removable: true, make: (_, path) => symlinkSync("naught.ipc", path) },
  {
    what: "a device or a pipe",
    removable: false,
    make: async (naught, path) => void (await make(naught, "mkfifo", path)),
  },
];
for (const [index, { what, removable, make: place }] of things.entries()) {
  test(
    `${what} at the ipc file's path (${index + 1}) is left alone${removable ? ", unless it is to be removed" : ""}`,
    e2e(async (naught) => {
      await place(naught, naught.path("naught.ipc"));
      const words = new RegExp(`^IpcNotSocket: the ipc file .*/naught.ipc is ${what}, not a socket`);
      await assertRefused(naught, words);
      if (removable) await (await hold(naught, { removeOldIpc: true })).close();
      else await assertRefused(naught, words, { removeOldIpc: true });
      if (what === "a symbolic link") assert.ok(!names(naught).includes("naught.ipc"));
      if (names(naught).includes("target") && index === 3) assert.equal(naught.read("target"), "mine");
      rmSync(naught.path("target"), { force: true });
    }),
  );
}

test(
  "a live server behind a symbolic link is not robbed of it",
  e2e(async (naught) => {
    const server = await hold(naught, { ipcFile: "live.ipc", pidFile: "live.pid" });
    symlinkSync("live.ipc", naught.path("naught.ipc"));
    await assertRefused(naught, /^AlreadyRunning/, { removeOldIpc: true });
    await server.close();
  }),
);

test(
  "a live server of anybody's is not robbed of its socket",
  e2e(async (naught) => {
    const code = `require("node:net").createServer().listen("naught.ipc", () => console.log("here"))`;
    const server = launch(process.execPath, ["-e", code], { cwd: naught.dir, env: naught.env });
    await server.said("stdout", "here");
    await assertRefused(naught, /^AlreadyRunning/, { removeOldIpc: true });
    server.signal("SIGKILL");
    await server.finished;
    rmSync(naught.path("naught.ipc"));
  }),
);

/** Looks at a path without a pause until something is there, and prints what was to be seen first. */
const look = `const fs = require("node:fs"); const [, path, what] = process.argv; console.log("looking");
  for (;;) try { console.log(what === "mode" ? (fs.lstatSync(path).mode & 0o777).toString(8) : JSON.stringify(fs.readFileSync(path, "utf8"))); break; } catch {}`;

test(
  "the socket is its owner's alone from the first moment, whatever the umask, which stays as it was",
  e2e(async (naught) => {
    for (let round = 0; round < 5; round += 1) {
      const args = ["-e", look, naught.path("naught.ipc"), "mode"];
      const watcher = launch(process.execPath, args, { cwd: naught.dir, env: naught.env });
      await watcher.said("stdout", "looking");
      const held = await hold(naught, { umask: 0 });
      assert.equal((await watcher.finished).stdout, "looking\n600\n");
      assert.equal(mode(naught, "naught.ipc"), "600");
      assert.equal(mode(naught, "naught.ipc.owner"), "600");
      assert.equal(mode(naught, "naught.pid"), "644");
      await held.close();
    }
  }),
);

test(
  "the pid file is complete from the first moment",
  e2e(async (naught) => {
    for (let round = 0; round < 5; round += 1) {
      const args = ["-e", look, naught.path("naught.pid"), "text"];
      const watcher = launch(process.execPath, args, { cwd: naught.dir, env: naught.env });
      await watcher.said("stdout", "looking");
      const held = await hold(naught);
      assert.equal((await watcher.finished).stdout, `looking\n"${held.pid}\\n"\n`);
      await held.close();
    }
  }),
);

test(
  "symbolic links where files are to be written are replaced, not followed",
  e2e(async (naught) => {
    naught.write("victim", "untouched");
    const links =
      "for name in naught.pid naught.ipc.owner naught.pid.$$ naught.ipc.owner.$$; do ln -s victim $name; done";
    const held = await hold(naught, { before: links });
    assert.equal(naught.read("naught.pid"), `${held.pid}\n`);
    assert.equal(naught.read("victim"), "untouched");
    assert.deepEqual(names(naught), [...files, "victim"]);
    await held.close();
    assert.deepEqual(names(naught), ["victim"]);
  }),
);

test(
  "a pid file that is somebody else's by now is not removed",
  e2e(async (naught) => {
    const held = await hold(naught);
    naught.write("naught.pid", "1\n");
    await held.close();
    assert.equal(naught.read("naught.pid"), "1\n");
  }),
);

test(
  "a device as pid file is written to and stays one, as with /dev/null",
  e2e(async (naught) => {
    const made = await make(naught, "mknod", naught.path("naught.pid"), "c", "1", "3");
    // Only root can make one.
    if (made.code !== 0) return;
    const held = await hold(naught);
    await held.close();
    assert.deepEqual(names(naught), ["naught.pid"]);
    assert.equal(naught.read("naught.pid"), "");
  }),
);

test(
  "a pid file that cannot be written refuses the start, and nothing is left of it",
  e2e(async (naught) => {
    mkdirSync(naught.path("directory"));
    await assertRefused(naught, /^CannotWrite: cannot write .*directory: /, { pidFile: "directory" });
    await make(naught, "mkfifo", naught.path("pipe"));
    await assertRefused(naught, /^CannotWrite: .*pipe: it is a device or a pipe/, { pidFile: "pipe" });
    naught.write("file", "");
    await assertRefused(naught, /^CannotWrite: .*: a part of the path is not a directory/, {
      pidFile: "file/naught.pid",
    });
    await assertRefused(naught, /^BadLaunch: .* must not be the same/, { pidFile: "naught.ipc" });
  }),
);

test(
  "an ipc file below an ordinary file refuses the start",
  e2e(async (naught) => {
    naught.write("file", "");
    await assertRefused(naught, /^CannotWrite: .*: a part of the path is not a directory/, {
      ipcFile: "file/naught.ipc",
    });
  }),
);

test(
  "a directory without write permission refuses the start",
  e2e(async (naught) => {
    const isRoot = process.getuid?.() === 0;
    await make(naught, "chmod", "755", ".");
    mkdirSync(naught.path("locked"), { mode: 0o555 });
    // Root may write everywhere.
    const uid = isRoot ? { uid: 65_534 } : {};
    const expected = /^CannotWrite: cannot write .*: permission denied/;
    await assertRefused(naught, expected, {
      ...uid,
      ipcFile: "locked/naught.ipc",
      pidFile: "locked/naught.pid",
    });
    await assertRefused(naught, expected, { ...uid, ipcFile: "locked/deeper/naught.ipc" });
  }),
);

test(
  "directories are created",
  e2e(async (naught) => {
    const held = await hold(naught, { ipcFile: "a/b/naught.ipc", pidFile: "c/d/naught.pid" });
    assert.equal(naught.read("c/d/naught.pid"), `${held.pid}\n`);
    await held.close();
    assert.deepEqual(names(naught), ["a", "c"]);
  }),
);

test(
  "a holder whose directory was made anew removes nothing of its successor's",
  e2e(async (naught) => {
    const paths = { ipcFile: "run/naught.ipc", pidFile: "run/naught.pid" };
    const first = await hold(naught, paths);
    rmSync(naught.path("run"), { recursive: true });
    const second = await hold(naught, paths);
    await first.close();
    assert.equal(await ask(naught.path("run/naught.ipc")), "here\n");
    assert.equal(naught.read("run/naught.pid"), `${second.pid}\n`);
    await assertRefused(naught, /^AlreadyRunning/, paths);
    await second.close();
  }),
);

test(
  "more connections than it has descriptors for do not end the holder",
  e2e(async (naught) => {
    const held = await hold(naught, { before: "ulimit -n 40" });
    const path = naught.path("naught.ipc");
    const sockets = await Promise.all(
      Array.from(
        { length: 60 },
        () =>
          new Promise<Socket>((resolve) => {
            const socket = connect(path, () => resolve(socket));
            socket.on("error", () => resolve(socket));
          }),
      ),
    );
    for (const socket of sockets) socket.destroy();
    await until("an answer", async () => (await ask(path)) === "here\n");
    await held.close();
  }),
);
