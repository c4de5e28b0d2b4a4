/** start in the foreground, and with sockets that were handed to it. */
import assert from "node:assert/strict";
import { fork, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Start } from "../../src/protocol/types.js";
import { answer, boot, bootLines, ready } from "../support/cli-boot.js";
import { end, noCounts, staged } from "../support/cli-stage.js";

staged("in the foreground the command ends when its daemon does", async ({ expectStart, spawn, run }) => {
  const started: Start[] = [];
  let finish = (): void => {};
  const server = await expectStart((connection) => ({
    start: (start) => {
      started.push(start);
      boot(connection);
      finish = () => connection.socket.end();
      return ready;
    },
  }));
  const args = ["start", "--daemon-mode", "false", "s.js"];
  const start = spawn(args, { env: { CLI_TEST_EXIT: "3" } });
  await start.said("stdout", "workers online: 2\n");
  finish();
  assert.deepEqual(await start.finished, end(3, "workers online: 2\n", bootLines));
  assert.equal(started[0]?.daemonMode, false);
  const silent = spawn([...args.slice(0, 3), "--log", "-", "s.js"]);
  await silent.said("stdout", "workers online: 2\n");
  finish();
  assert.deepEqual(await silent.finished, end(0, "workers online: 2\n", ""));
  server.close();
  assert.equal((await run(["start", "--daemon-mode", "false"])).code, 2);
});

staged("a parent that forked the foreground command is told every event", async (stage) => {
  await stage.expectStart(answer(ready));
  const messages: unknown[] = [];
  const child = fork(stage.program, ["start", "--daemon-mode", "false", "s.js"], {
    cwd: stage.dir,
    env: { PATH: process.env.PATH, CLI_TEST_BRIDGE: join(stage.dir, "bridge.sock") },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
    execArgv: [],
  });
  child.on("message", (message) => messages.push(message));
  await new Promise((done) => child.once("close", done));
  assert.deepEqual(messages, [
    { event: "IpcListening" },
    { event: "Bootup", waitingFor: null, count: noCounts },
    { event: "SpawnNew", waitingFor: null, count: { ...noCounts, booting: 1 } },
    { event: "Ready", waitingFor: null, count: { ...noCounts, online: 2 } },
  ]);
});

staged("sockets that naught itself was given", async ({ expectStart, run, dir, program }) => {
  const started: Start[] = [];
  await expectStart(answer(ready, started));
  const wrong = (variable: string) => end(1, "", `unable to start daemon: ${variable}\n`);
  assert.deepEqual(
    await run(["start", "s.js"], { env: { LISTEN_FD: "99" } }),
    wrong("LISTEN_FD: file descriptor 99 is not an open socket"),
  );
  assert.deepEqual(
    await run(["start", "s.js"], { env: { LISTEN_FD: "x" } }),
    wrong('LISTEN_FD should be the number of a file descriptor, not "x"'),
  );
  assert.equal((await run(["start", "s.js"], { env: { LISTEN_FDS: "1", LISTEN_PID: "1" } })).code, 0);
  const listener = createServer();
  await new Promise<void>((done) => listener.listen(0, "127.0.0.1", done));
  const handle = (listener as unknown as { _handle: { fd: number } })._handle;
  const pass = (env: Record<string, string>, command: string): Promise<number | null> =>
    new Promise((done) => {
      const child = spawn("/bin/sh", ["-c", command, process.execPath, program], {
        cwd: dir,
        env: { PATH: process.env.PATH, CLI_TEST_BRIDGE: join(dir, "bridge.sock"), ...env },
        stdio: ["ignore", "ignore", "ignore", handle.fd],
      });
      child.once("close", done);
    });
  const foreground = 'exec "$0" "$1" start --daemon-mode false s.js';
  assert.equal(await pass({ LISTEN_FDS: "1" }, `export LISTEN_PID=$$; ${foreground}`), 0);
  assert.equal(await pass({ LISTEN_FD: "3" }, foreground), 0);
  assert.equal(await pass({ LISTEN_FD: "3" }, 'exec "$0" "$1" start s.js'), 0);
  assert.deepEqual(
    started.map((start) => start.listenFds),
    [[], [3], [3], [4]],
  );
  assert.equal(await pass({ LISTEN_FDS: "1" }, 'export LISTEN_PID=$$; exec "$0" "$1" start s.js'), 2);
  listener.close();
});
