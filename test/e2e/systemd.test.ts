/** README's units under a real systemd: start, stop, reload, status, watchdog, restart, start by a first connection. */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { test } from "node:test";
import { unlessCi } from "../support/installed.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { isAlive, kill } from "../support/processes.js";
import { get } from "../support/request.js";
import { bootSystemd, findObstacle, type Systemd, type UnitOptions } from "../support/systemd.js";
import { until } from "../support/wait.js";

const skip = unlessCi(findObstacle());

function unitTest(
  name: string,
  options: UnitOptions,
  body: (naught: Naught, systemd: Systemd) => Promise<void>,
): void {
  const run = e2e(async (naught) => {
    const systemd = await bootSystemd(naught, options);
    await body(naught, systemd);
    await systemd.ctl("stop", "web.service", ...(options.socket ? ["web.socket"] : []));
  });
  test(name, { skip }, run);
}

for (const { told, options } of [
  { told: "through systemd-notify", options: { koffi: false } },
  { told: "through koffi", options: { koffi: true, changes: [["NotifyAccess=all\n", ""]] } },
] as const) {
  unitTest(
    `a start returns when every worker is online, and status says so, ${told}`,
    options,
    async (naught, systemd) => {
      await systemd.ctl("start", "web");
      assert.equal(naught.workers().length, 2);
      await systemd.became("StatusText", "workers online: 2");
      assert.match((await systemd.run("systemctl", "status", "web")).stdout, /Status: "workers online: 2"/);
      assert.equal((await get(naught)).status, 200);
      await systemd.ctl("stop", "web");
      assert.equal(await systemd.show("ActiveState"), "inactive");
      assert.equal(await systemd.show("Result"), "success");
      assert.equal(naught.processes().length, 0);
      assert.doesNotMatch(await systemd.journal(), /cannot tell the service manager/);
    },
  );

  unitTest(
    `a reload under load is over when the deploy is, and loses no request, ${told}`,
    options,
    async (naught, systemd) => {
      await systemd.ctl("start", "web");
      const load = await startLoad(naught, { slowMs: 500 });
      const before = pids(naught);
      await systemd.ctl("reload", "web");
      const after = pids(naught);
      assert.equal(after.length, 2);
      assert.deepEqual(
        after.filter((pid) => before.includes(pid)),
        [],
      );
      const report = await load.stop();
      assertUnhurt(report);
      assert.ok(report.ok >= 60);
      await systemd.became("ActiveState", "active");
      await systemd.became("StatusText", "workers online: 2");
    },
  );
}

unitTest("a bad release fails the reload, and changes nothing", {}, async (naught, systemd) => {
  await systemd.ctl("start", "web");
  const before = pids(naught);
  naught.write("systemd/srv/web/server.js", 'throw new Error("broken");');
  assert.notEqual((await systemd.run("systemctl", "reload", "web")).code, 0);
  await systemd.became("ActiveState", "active");
  const why =
    /^workers online: 2; the last deploy failed: worker \d exited with code 1 before it was online$/;
  await systemd.became("StatusText", why);
  assert.deepEqual(pids(naught), before);
});

unitTest("a deploy that nobody reloaded for shows as one, too", {}, async (naught, systemd) => {
  naught.write("systemd/srv/web/gate", "");
  naught.write("systemd/srv/web/server.js", gated);
  await systemd.ctl("start", "web");
  rmSync(naught.path("systemd/srv/web/gate"));
  const hangUp = () => systemd.ctl("kill", "--signal=HUP", "--kill-who=main", "web");
  await hangUp();
  await systemd.became("ActiveState", "reloading");
  // The refusal of a second one is not the end of the first.
  await hangUp();
  await until("a refusal", async () => /already in progress/.test(await systemd.journal()));
  await systemd.became("StatusText", "deploy in progress, new workers online: 0, booting: 2");
  naught.write("systemd/srv/web/gate", "");
  await systemd.became("ActiveState", "active");
  await systemd.became("StatusText", "workers online: 2");
});

unitTest("a reload brings what has changed in the unit's environment", {}, async (naught, systemd) => {
  await systemd.ctl("start", "web");
  assert.equal((await get(naught)).body.version, "1");
  naught.write("systemd/units/web.service.d/version.conf", "[Service]\nEnvironment=VERSION=2\n");
  await systemd.ctl("daemon-reload");
  await systemd.ctl("reload", "web");
  assert.equal((await get(naught)).body.version, "2");
});

unitTest(
  "the first connection starts the service, and a restart under load loses no request",
  { socket: true },
  async (naught, systemd) => {
    await systemd.ctl("start", "web.socket");
    assert.equal(await systemd.show("ActiveState"), "inactive");
    assert.equal((await get(naught)).status, 200);
    await systemd.became("ActiveState", "active");
    // Those that come while nobody accepts wait for as long as idle connections are drained.
    const load = await startLoad(naught, { slowMs: 500, timeoutMs: 30_000 });
    const before = pids(naught);
    await systemd.ctl("restart", "web");
    assert.deepEqual(
      pids(naught).filter((pid) => before.includes(pid)),
      [],
    );
    await Promise.all(Array.from({ length: 60 }, () => get(naught)));
    const report = await load.stop();
    assertUnhurt(report);
    assert.ok(report.ok >= 60);
    assert.equal(await systemd.show("NRestarts"), "0");
  },
);

const watched = { service: ["WatchdogSec=3", "LimitCORE=0", "RestartSec=0"] };
unitTest("a frozen daemon is noticed, and the service restarted", watched, async (naught, systemd) => {
  await systemd.ctl("start", "web");
  const shows = () => systemd.show("WatchdogTimestampMonotonic");
  // Signs of life come for as long as all is well.
  for (let count = 0; count < 3; count += 1) {
    const last = await shows();
    await until("another sign of life", async () => (await shows()) !== last);
  }
  assert.equal(await systemd.show("NRestarts"), "0");
  const before = pids(naught);
  kill(findParent(naught, "daemon"), "SIGSTOP");
  await systemd.became("NRestarts", "1", 30_000);
  await systemd.became("ActiveState", "active", 30_000);
  assert.match(await systemd.journal(), /Watchdog timeout/);
  const after = pids(naught);
  assert.equal(after.length, 2);
  assert.deepEqual(
    after.filter((pid) => before.includes(pid)),
    [],
  );
  assert.equal((await get(naught)).status, 200);
});

unitTest(
  "a daemon that is killed under load: the service is restarted, the old workers finish, no request is lost",
  { socket: true, changes: [["KillMode=mixed", "KillMode=process"]], service: ["RestartSec=0"] },
  async (naught, systemd) => {
    await systemd.ctl("start", "web.socket");
    assert.equal((await get(naught)).status, 200);
    const load = await startLoad(naught, { slowMs: 1_000, timeoutMs: 30_000 });
    const before = pids(naught);
    kill(findParent(naught, "daemon"));
    await systemd.became("NRestarts", "1", 30_000);
    await systemd.became("ActiveState", "active", 30_000);
    await until("the new workers alone", () => isOther(before, pids(naught)), 60_000);
    assertUnhurt(await load.stop());
    await systemd.ctl("stop", "web.service", "web.socket");
    assert.equal(naught.processes().length, 0);
  },
);

const ipcFile = "/run/web/naught.ipc";
const pidFile = "/run/web/naught.pid";
const command = ["/srv/node", "/srv/naught/naught.cjs"];
const follows: UnitOptions = {
  changes: [
    ["Type=notify\nNotifyAccess=all\n", `Type=forking\nExitType=cgroup\nGuessMainPID=no\n`],
    ["--daemon-mode false ", ""],
    ["--log - --stdout - --stderr -", "--log /run/web/naught.log --stdout /dev/null --stderr /dev/null"],
    ["WatchdogSec=30\n", `ExecStop=${command.join(" ")} stop ${ipcFile}\n`],
  ],
};
unitTest(
  "a daemon that is killed under load as a forking service is followed, and nothing is restarted",
  follows,
  async (naught, systemd) => {
    await systemd.ctl("start", "web");
    const load = await startLoad(naught, { slowMs: 1_000 });
    const workers = pids(naught);
    for (let round = 0; round < 2; round += 1) {
      const { stdout: killed } = await systemd.run("cat", pidFile);
      await systemd.run("kill", "-9", killed.trim());
      await until("a new daemon", async () => (await systemd.run("cat", pidFile)).stdout !== killed, 30_000);
      assert.equal((await systemd.run(...command, "status", ipcFile)).stdout, "workers online: 2\n");
      assert.deepEqual(pids(naught), workers);
    }
    await systemd.ctl("reload", "web");
    assert.equal(await systemd.show("ActiveState"), "active");
    assert.equal(await systemd.show("NRestarts"), "0");
    assertUnhurt(await load.stop());
    await systemd.ctl("stop", "web");
    assert.equal(await systemd.show("Result"), "success");
    assert.equal(naught.processes().length, 0);
  },
);

unitTest(
  "a frozen master is replaced by the daemon, and the service goes on",
  { service: ["WatchdogSec=20", "LimitCORE=0", "RestartSec=0"] },
  async (naught, systemd) => {
    await systemd.ctl("start", "web");
    const frozen = findParent(naught, "master");
    kill(frozen, "SIGSTOP");
    naught.defer(() => kill(frozen, "SIGCONT"));
    await until("the frozen master to be gone", () => !isAlive(frozen), 30_000);
    await until(
      "new workers alone",
      () => naught.workers().length === 2 && findParent(naught, "master") !== frozen,
      60_000,
    );
    assert.equal(await systemd.show("NRestarts"), "0");
    assert.equal(await systemd.show("ActiveState"), "active");
    assert.equal((await get(naught)).status, 200);
  },
);

unitTest(
  "behind a shell naught is the main process all the same",
  { changes: [[/^ExecStart=(.*)$/m, "ExecStart=/bin/sh -c '$1; exit $?'"]] },
  async (naught, systemd) => {
    await systemd.ctl("start", "web");
    const main = Number(await systemd.show("MainPID"));
    const inside = (await systemd.run("cat", `/proc/${main}/cmdline`)).stdout.replaceAll("\0", " ");
    assert.match(inside, /^\/srv\/node \/srv\/naught\/naught\.cjs start/);
    assert.equal((await get(naught)).status, 200);
  },
);

unitTest("a server that throws at boot is a service that failed to start", {}, async (naught, systemd) => {
  naught.write("systemd/srv/web/server.js", 'throw new Error("broken");');
  assert.notEqual((await systemd.run("systemctl", "start", "web")).code, 0);
  assert.match(await systemd.journal(), /The server crashed without booting/);
  await systemd.ctl("stop", "web");
});

function pids(naught: Naught): number[] {
  return naught.workers().map(({ pid }) => pid);
}

function isOther(before: readonly number[], now: readonly number[]): boolean {
  return now.length === 2 && now.every((pid) => !before.includes(pid));
}

/** Their process ids out here. */
function findParent(naught: Naught, part: "daemon" | "master"): number {
  const processes = naught.processes();
  const parentOf = (pid: number | undefined) => processes.find((each) => each.pid === pid)?.parent;
  const master = parentOf(pids(naught)[0]);
  const found = part === "master" ? master : parentOf(master);
  if (found === undefined || found <= 1) throw new Error(`there is no ${part}`);
  return found;
}

const gated = `const { existsSync } = require("node:fs");
const wait = setInterval(() => {
  if (!existsSync("gate")) return;
  clearInterval(wait);
  require("/srv/servers/http.cjs");
}, 10);
`;
