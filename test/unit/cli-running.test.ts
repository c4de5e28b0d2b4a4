/** status, deploy, deploy-abort and stop as real processes against a running daemon: lines, streams and exit codes. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { NaughtError } from "../../src/protocol/errors.js";
import type { Deploy, Settled, Status, Stop } from "../../src/protocol/types.js";
import { end, noCounts, type Script, staged } from "../support/cli-stage.js";

const unanswered = (path: string) =>
  `unable to connect to ipc-file \`${path}\`\n\n1. the ipc file specified is invalid, or\n2. the daemon process died unexpectedly\n`;
const settled = (outcome: Settled["outcome"], more: Partial<Settled> = {}): Settled => ({
  deploy: "d1",
  outcome,
  counts: noCounts,
  killed: 0,
  ...more,
});

staged("nobody there", async ({ run, dir }) => {
  assert.deepEqual(await run(["status"]), end(1, "", "server not running\n"));
  assert.deepEqual(await run(["stop"]), end(0, "", "server not running\n"));
  assert.deepEqual(await run(["deploy"]), end(1, "", "server not running\n"));
  assert.deepEqual(await run(["deploy-abort"]), end(1, "", "server not running\n"));
  writeFileSync(join(dir, "file"), "");
  mkdirSync(join(dir, "folder"));
  for (const command of ["status", "stop", "deploy", "deploy-abort"]) {
    for (const path of ["file", "folder"]) {
      assert.deepEqual(await run([command, path]), end(1, "", unanswered(path)));
    }
  }
  const { code, stderr } = await run(["status", "file/x"]);
  assert.equal(code, 1);
  assert.match(stderr, /^naught status: unable to connect to ipc-file `file\/x`: .*ENOTDIR.*\n$/);
});

staged("status", async ({ listen, run }) => {
  let status: Status = { phase: "online", counts: { ...noCounts, online: 3 }, waitingFor: null, workers: [] };
  await listen(() => ({ status: () => status }), "x.ipc");
  assert.deepEqual(await run(["status", "x.ipc"]), end(0, "workers online: 3\n", ""));
  status = { ...status, phase: "deploying", waitingFor: "new" };
  const counts = "booting: 0, online: 3, dying: 0, new_online: 0";
  assert.deepEqual(await run(["status", "x.ipc"]), end(0, `deploy in progress\n${counts}\n`, ""));
});

staged("status --verbose and --json", async ({ listen, run }) => {
  const death = {
    worker: { id: 4, slot: 1, pid: 78, generation: 1 },
    time: "2026-01-02T03:04:05.678Z",
    reason: "exited with code 1",
    seconds: 4.2,
    stderr: ["Error: boom", "    at x.js:1"],
  };
  const status: Status = {
    phase: "online",
    counts: { ...noCounts, online: 1 },
    waitingFor: null,
    workers: [
      {
        id: 3,
        slot: 0,
        pid: 77,
        generation: 2,
        status: "online",
        seconds: 7300,
        restarts: 1,
        usage: { memory: 50 * 2 ** 20, cpu: 1.5, age: 1 },
      },
    ],
    slots: [
      { slot: 0, restarts: 1, failures: 1 },
      { slot: 1, restarts: 5, failures: 4, seconds: 3.2, lastDeath: death },
    ],
    daemon: { pid: 70, usage: { memory: 40 * 2 ** 20, cpu: null, age: 1 } },
    versions: { naught: "2", protocol: 1, node: "v22.1.0" },
  };
  await listen(() => ({ status: () => status }));
  const told = [
    "workers online: 1",
    "worker 0 (pid 77, generation 2): online for 2 h, 50 MiB, 1.5 % of a processor",
    "    1 failure",
    "    1 restart since the last deploy",
    "worker 1: 4 failures in a row, next try in 3.2 s",
    "    5 restarts since the last deploy",
    "    last death 2026-01-02T03:04:05.678Z: pid 78 exited with code 1 after 4.2 s",
    "        Error: boom",
    "            at x.js:1",
    "daemon (pid 70): 40 MiB",
    "master: none",
    "naught 2, node v22.1.0",
    "",
  ];
  assert.deepEqual(await run(["status", "--verbose"]), end(0, told.join("\n"), ""));
  assert.deepEqual(await run(["status", "--verbose=false", "naught.ipc"]), end(0, "workers online: 1\n", ""));
  const { code, stdout } = await run(["status", "--json", "naught.ipc"]);
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(stdout), status);
});

staged("a daemon that is older, one that talks nonsense, one that hangs up", async ({ listen, run, dir }) => {
  await listen(() => ({ status: () => ({ phase: "flying" }) as unknown as Status }), "nonsense.ipc");
  const nonsense = await run(["status", "nonsense.ipc"]);
  assert.equal(nonsense.code, 1);
  assert.match(nonsense.stderr, /^naught status: .*phase should be .*\n$/);
  assert.equal(nonsense.stderr.split("\n").length, 2);
  await listen(
    ({ socket }) => ({
      status: () => {
        socket.destroy();
        return new Promise(() => {});
      },
    }),
    "hangup.ipc",
  );
  assert.deepEqual(
    await run(["status", "hangup.ipc"]),
    end(1, "", "naught status: the connection was lost before the answer came\n"),
  );
  const server = createServer((socket) => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  await new Promise<void>((done) => server.listen(join(dir, "http.ipc"), done));
  assert.equal((await run(["status", "http.ipc"])).code, 1);
  server.close();
});

staged("deploy: events, then done", async ({ listen, run }) => {
  let sent: Deploy | undefined;
  await listen(({ event, waiting }) => ({
    deploy: (deploy) => {
      sent = deploy;
      event("SpawnNew", { booting: 1, online: 1 });
      event("NewOnline", { online: 1, new_online: 1 });
      const worker = { id: 1, slot: 0, pid: 12, generation: 1, status: "dying", seconds: 5 } as const;
      waiting({ workers: [worker] });
      for (const name of ["Ready", "Shutdown", "DeployFailed", "Status"] as const) event(name);
      event("OldExit", { online: 1 });
      return settled("done");
    },
  }));
  const env = { SECRET: "s", NAUGHT_X: "y", LISTEN_FD: "9" };
  const lines = [
    "SpawnNew. booting: 1, online: 1, dying: 0, new_online: 0",
    "NewOnline. booting: 0, online: 1, dying: 0, new_online: 1",
    "waiting for worker 0 (pid 12): dying for 5 s",
    "OldExit. booting: 0, online: 1, dying: 0, new_online: 0",
    "done",
    "",
  ];
  assert.deepEqual(await run(["deploy", "--timeout", "3"], { env }), end(0, "", lines.join("\n")));
  assert.equal(sent?.timeout, 3);
  assert.equal(sent?.env?.SECRET, "s");
  assert.equal(sent?.env?.NAUGHT_X, undefined);
  assert.equal(sent?.env?.LISTEN_FD, undefined);
});

staged("deploy: the other ends", async ({ listen, run }) => {
  const outcomes = [
    settled("done", { killed: 2 }),
    settled("failed", { reason: "worker 1 exited with code 3", stderr: ["Error: no", "  at x"] }),
    settled("failed"),
    settled("aborted"),
  ];
  await listen(() => ({ deploy: () => outcomes.shift() ?? settled("done") }));
  const failed = "Deploy failed. Check stderr.log and usage of 'online' and 'shutdown' events.\n";
  const why = "worker 1 exited with code 3\nlast lines of its stderr:\n    Error: no\n      at x\n";
  assert.deepEqual(await run(["deploy"]), end(0, "", "done, 2 old workers had to be killed\n"));
  assert.deepEqual(await run(["deploy"]), end(1, failed, why));
  assert.deepEqual(await run(["deploy"]), end(1, failed, ""));
  assert.deepEqual(await run(["deploy"]), end(1, "", "deploy aborted\n"));
});

staged("deploy: refusals are one line", async ({ listen, run }) => {
  const refuse: Script = () => ({
    deploy: () => {
      throw new NaughtError("StillBooting");
    },
  });
  await listen(refuse);
  assert.deepEqual(
    await run(["deploy"]),
    end(1, "", "naught deploy: the server is still booting; wait for it to be online\n"),
  );
});

staged("deploy: one in progress is waited for", async ({ listen, run }) => {
  const attached: string[] = [];
  await listen(({ event }) => ({
    deploy: () => {
      throw new NaughtError("DeployInProgress", undefined, { deploy: "other" });
    },
    attachDeploy: ({ deploy }) => {
      attached.push(deploy);
      event("OldExit", { online: 1 });
      return settled("done");
    },
  }));
  const lines = [
    "Deploy already in progress. Press Ctrl+C to abort.",
    "OldExit. booting: 0, online: 1, dying: 0, new_online: 0",
    "done",
    "",
  ];
  assert.deepEqual(await run(["deploy"]), end(0, "", lines.join("\n")));
  assert.deepEqual(attached, ["other"]);
});

staged("deploy: Ctrl-C aborts and waits, a second one detaches", async ({ listen, spawn }) => {
  let settle: (outcome: Settled) => void = () => {};
  let isStubborn = false;
  await listen(({ event }) => ({
    deploy: () => {
      event("SpawnNew", { booting: 1 });
      return new Promise((resolve) => {
        settle = resolve;
      });
    },
    abortDeploy: () => {
      if (isStubborn) return new Promise<Settled>(() => {});
      settle(settled("aborted"));
      return settled("aborted");
    },
  }));
  const spawned = "SpawnNew. booting: 1, online: 0, dying: 0, new_online: 0\n";
  const first = spawn(["deploy"]);
  await first.said("stderr", "SpawnNew");
  first.interrupt();
  assert.deepEqual(await first.finished, end(1, "", `${spawned}aborting deploy\ndeploy aborted\n`));
  isStubborn = true;
  const second = spawn(["deploy"]);
  await second.said("stderr", "SpawnNew");
  second.interrupt();
  await second.said("stderr", "aborting");
  second.interrupt();
  const detached = `${spawned}aborting deploy\ndetached; the deploy goes on\n`;
  assert.deepEqual(await second.finished, end(1, "", detached));
});

staged("deploy-abort", async ({ listen, run }) => {
  let isDeploying = true;
  await listen(() => ({
    abortDeploy: () => {
      if (!isDeploying) throw new NaughtError("NoDeployInProgress");
      isDeploying = false;
      return settled("aborted");
    },
  }));
  assert.deepEqual(await run(["deploy-abort"]), end(0, "", "deploy aborted\n"));
  assert.deepEqual(await run(["deploy-abort"]), end(1, "", "no deploy in progress\n"));
});

staged("stop waits until the daemon's connection is closed", async ({ listen, run }) => {
  const stops: Stop[] = [];
  let isClosed = false;
  await listen(({ event, notice, socket }) => ({
    // A process that does not exist.
    hello: () => ({ version: "x", protocol: 1, pid: 2 ** 22 + 1 }),
    stop: (stop) => {
      stops.push(stop);
      notice({ name: "AlreadyShuttingDown" });
      event("ShutdownOld", { dying: 1 });
      event("OldExit");
      event("Shutdown");
      setTimeout(() => {
        isClosed = true;
        socket.destroy();
      }, 300);
      return {};
    },
  }));
  const lines = [
    "Waiting for shutdown already in progress.",
    "If it hangs, Ctrl+C this command and try it again with --timeout 1",
    "ShutdownOld. booting: 0, online: 0, dying: 1, new_online: 0",
    "OldExit. booting: 0, online: 0, dying: 0, new_online: 0",
    "",
  ];
  assert.deepEqual(await run(["stop", "--pid-file", "p"]), end(0, "", lines.join("\n")));
  assert.ok(isClosed);
  await run(["stop", "--timeout", "0.5"]);
  assert.deepEqual(stops, [{}, { timeout: 0.5 }]);
});

staged("stop: Ctrl-C detaches", async ({ listen, spawn }) => {
  await listen(({ event }) => ({
    hello: () => ({ version: "x", protocol: 1, pid: 1 }),
    stop: () => {
      event("ShutdownOld", { dying: 1 });
      return new Promise(() => {});
    },
  }));
  const stop = spawn(["stop"]);
  await stop.said("stderr", "ShutdownOld");
  stop.interrupt();
  const { code, stderr } = await stop.finished;
  assert.equal(code, 1);
  assert.match(stderr, /\ndetached; the stop goes on\n$/);
});
