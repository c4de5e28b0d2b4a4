/** Whoever follows a log does so also while one daemon takes the place of another: each line once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { unlessCi } from "../support/installed.js";
import { e2e, type Naught } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";
import { findObstacle, startSshd } from "../support/sshd.js";
import { awaitStatus, isWhole } from "../support/survival.js";
import { until } from "../support/wait.js";

/** So that rotations come in between, too. */
const options = ["--max-log-size", "2000", "--max-log-files", "none"];

async function print(naught: Naught, times: number): Promise<void> {
  for (let count = 0; count < times; count += 1) await get(naught, "/print");
}

async function killDaemon(naught: Naught): Promise<void> {
  const former = naught.daemon();
  process.kill(former, "SIGKILL");
  // The worker goes on printing without it.
  await print(naught, 50);
  await awaitStatus(
    naught,
    "another daemon",
    (status) => isWhole(status, 1) && status.daemon?.pid !== former,
  );
  await print(naught, 50);
}

function followFrom(naught: Naught, env: Readonly<Record<string, string>>) {
  const follower = naught.spawn(["logs", "-f", "-n", "all", naught.path("naught.ipc")], { env });
  const lines = (stream: string) => follower.stdout().match(new RegExp(`^${stream} .*\n`, "gm")) ?? [];
  return { ...follower, lines };
}

async function followThroughDeaths(naught: Naught, env: Readonly<Record<string, string>>): Promise<void> {
  await naught.succeed(["start", ...options, server("lines.cjs")]);
  await print(naught, 50);
  const follower = followFrom(naught, env);
  await until("the follower to follow", () => follower.lines("out").length >= 51);
  for (let death = 0; death < 2; death += 1) await killDaemon(naught);
  const { stdout: all } = await naught.succeed(["logs", "-n", "all", "--stdout"]);
  assert.equal(all.trim().split("\n").length, 251);
  await until("the follower to have all", () => follower.lines("out").length >= 251);
  await naught.succeed(["stop"]);
  const { code, stderr } = await follower.finished;
  assert.deepEqual([code, stderr], [0, ""]);
  assert.equal(follower.lines("out").join(""), all);
  assert.equal(follower.lines("err").join(""), all.replaceAll("out", "err"));
}

test(
  "a follower reads on when the daemon is killed, and ends with the server",
  e2e((naught) => followThroughDeaths(naught, {})),
);

test(
  "a follower on another host does, too",
  { skip: unlessCi(findObstacle()) },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    await followThroughDeaths(naught, { ...ssh.env, NAUGHT_HOST: ssh.destination });
  }),
);
