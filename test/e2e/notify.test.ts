/** What naught tells a service manager in the foreground, to the letter, by either way of telling; and when it cannot. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { receiveDatagrams } from "../support/datagrams.js";
import { makeGate } from "../support/gate.js";
import { installNaught } from "../support/installed.js";
import { e2e, type Naught } from "../support/naught.js";
import { launch, type Running } from "../support/running.js";
import { server } from "../support/servers.js";

const ways = [
  { told: "koffi", koffi: true },
  { told: "systemd-notify", koffi: false },
];
for (const { told, koffi } of ways) {
  for (const kind of ["a path", "an abstract address"] as const) {
    test(
      `a manager at ${kind} is told by ${told} of a start, a deploy, a failed deploy and a stop`,
      e2e(async (naught) => {
        const address = kind === "a path" ? naught.path("notify") : `@${naught.dir}`;
        const manager = receiveDatagrams(address);
        naught.defer(manager.close);
        const gate = makeGate(naught);
        const running = start(naught, koffi, [gate.script], {
          NOTIFY_SOCKET: address,
          WATCHDOG_USEC: "200000",
        });
        await manager.came(/^STATUS=workers online: 1$/);
        assert.ok(manager.lines().includes("READY=1"));
        await manager.came(/^WATCHDOG=1$/);
        gate.shut();
        const deploy = naught.spawn(["deploy"]);
        await manager.came(/^STATUS=deploy in progress, new workers online: 0, booting: 1$/);
        gate.open();
        assert.equal((await deploy.finished).code, 0);
        naught.write("gated.cjs", "throw new Error('broken');");
        assert.equal((await naught.run(["deploy"])).code, 1);
        const failed =
          "STATUS=workers online: 1; the last deploy failed: worker 0 exited with code 1 before it was online";
        await manager.came(new RegExp(`^${failed}$`));
        running.signal("SIGTERM");
        assert.equal((await running.finished).code, 0);
        const lines = manager.lines();
        assert.deepEqual(
          lines.filter((line) => /^(READY|RELOADING|STOPPING|MAINPID)=/.test(line)),
          ["READY=1", "RELOADING=1", "READY=1", "RELOADING=1", "READY=1", "STOPPING=1"],
        );
        const stamps = lines.flatMap((line) => /^MONOTONIC_USEC=(\d+)$/.exec(line)?.[1] ?? []).map(Number);
        const now = Number(process.hrtime.bigint() / 1000n);
        assert.equal(stamps.length, 2);
        for (const stamp of stamps) assert.ok(now - stamp >= 0 && now - stamp < 60_000_000);
        assert.doesNotMatch(naught.read("naught.log"), /service manager/);
        if (kind === "a path") rmSync(address);
      }),
    );
  }
}

test(
  "without systemd-notify and koffi that is said once, and the server runs",
  e2e(async (naught) => {
    const env = { NOTIFY_SOCKET: naught.path("nobody"), WATCHDOG_USEC: "20000", PATH: naught.dir };
    const running = start(naught, false, [server("http.cjs")], env);
    await naught.wrote("naught.log", /Ready/);
    await naught.succeed(["deploy"]);
    running.signal("SIGTERM");
    assert.equal((await running.finished).code, 0);
    const said = naught.read("naught.log").match(/^cannot tell the service manager \(.*\): .*$/gm);
    assert.equal(said?.length, 1);
    assert.match(said[0] ?? "", /the program systemd-notify, or the npm package koffi/);
  }),
);

for (const { told, koffi } of ways) {
  test(
    `a manager that is gone is nobody's trouble, by ${told}`,
    e2e(async (naught) => {
      const env = { NOTIFY_SOCKET: naught.path("nobody"), WATCHDOG_USEC: "20000" };
      const running = start(naught, koffi, [server("http.cjs")], env);
      await naught.wrote("naught.log", /Ready/);
      await naught.succeed(["deploy"]);
      running.signal("SIGTERM");
      assert.equal((await running.finished).code, 0);
      assert.equal(naught.read("naught.log").match(/cannot tell the service manager/g)?.length, 1);
    }),
  );
}

test(
  "a manager that does not read holds nothing up",
  e2e(async (naught) => {
    const address = `@${naught.dir}`;
    const manager = receiveDatagrams(address, { reads: false });
    naught.defer(manager.close);
    // Many more than its queue holds.
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: "2000" };
    const running = start(naught, true, [server("http.cjs")], env);
    await naught.wrote("naught.log", /Ready/);
    for (let count = 0; count < 3; count += 1) await naught.succeed(["deploy"]);
    running.signal("SIGTERM");
    assert.equal((await running.finished).code, 0);
    assert.equal(manager.lines()[0], "STATUS=starting, workers online: 0 of 1");
  }),
);

test(
  "a daemon tells nobody, and no worker learns of the manager",
  e2e(async (naught) => {
    const address = naught.path("notify");
    const manager = receiveDatagrams(address);
    naught.defer(manager.close);
    await naught.succeed(["start", server("http.cjs")], { env: { NOTIFY_SOCKET: address } });
    for (const { pid } of naught.workers()) {
      const worker = naught.processes().find((each) => each.pid === pid);
      assert.equal(worker?.env.has("NOTIFY_SOCKET"), false);
    }
    await naught.succeed(["stop"]);
    assert.equal(manager.count(), 0);
    rmSync(address);
  }),
);

function start(
  naught: Naught,
  koffi: boolean,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Running {
  const program = installNaught(naught.path("installed"), { koffi });
  return launch(process.execPath, [program, "start", "--daemon-mode", "false", ...args], {
    cwd: naught.dir,
    env: { ...naught.env, ...env },
    timeout: 60_000,
  });
}
