/** Commands that go to another host over ssh: every one of them, and every way in which that can go wrong. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { relative } from "node:path";
import { test } from "node:test";
import { deployLines, startLines, stopLines } from "../support/events.js";
import { makeGate } from "../support/gate.js";
import { openGateway } from "../support/gateway.js";
import { unlessCi } from "../support/installed.js";
import { e2e, type Naught } from "../support/naught.js";
import { get } from "../support/request.js";
import { launch } from "../support/running.js";
import { server } from "../support/servers.js";
import { findObstacle, type Ssh, startSshd } from "../support/sshd.js";
import { until } from "../support/wait.js";

const skip = unlessCi(findObstacle());

/** The options of a start that is not typed in the directory it is for. */
function places(naught: Naught): string[] {
  const names = ["ipc-file", "pid-file", "log", "stdout", "stderr"];
  const files = ["naught.ipc", "naught.pid", "naught.log", "stdout.log", "stderr.log"];
  return [...names.map((name, index) => `--${name}=${naught.path(files[index] ?? "")}`), "--cwd", naught.dir];
}

test(
  "start, status, deploy, deploy-abort and stop do on another host what they do here",
  { skip },
  e2e(async (naught) => {
    const { destination, env: way } = await startSshd(naught);
    const scratch = naught.path("scratch");
    mkdirSync(scratch);
    const env = { ...way, TMPDIR: scratch };
    const at = (command: string, ...rest: string[]) =>
      naught.run([command, "--host", destination, ...rest], { env, cwd: "/" });
    const ipc = relative(homedir(), naught.path("naught.ipc"));
    assert.deepEqual(pick(await at("status", ipc)), [1, "", "server not running\n"]);
    assert.deepEqual(pick(await at("stop", ipc)), [0, "", "server not running\n"]);
    assert.deepEqual(pick(await at("deploy", ipc)), [1, "", "server not running\n"]);
    const started = await at(
      "start",
      ...places(naught),
      "--worker-count",
      "2",
      server("http.cjs"),
      "it's",
      "$HOME",
    );
    assert.deepEqual(pick(started), [0, "workers online: 2\n", startLines(2)]);
    assert.equal((await get(naught)).status, 200);
    const [worker] = naught.workers();
    assert.ok(readFileSync(`/proc/${worker?.pid}/cmdline`, "utf8").endsWith("\0it's\0$HOME\0"));
    assert.deepEqual(pick(await at("start", ...places(naught), server("http.cjs"))), [
      1,
      "workers online: 2\n",
      "",
    ]);
    assert.deepEqual(pick(await at("status", ipc)), [0, "workers online: 2\n", ""]);
    const named = await naught.run(["status", ipc], { env: { ...env, NAUGHT_HOST: destination }, cwd: "/" });
    assert.deepEqual(pick(named), [0, "workers online: 2\n", ""]);
    assert.deepEqual(pick(await at("deploy", ipc)), [0, "", deployLines(2, 2)]);
    assert.deepEqual(pick(await at("deploy-abort", ipc)), [1, "", "no deploy in progress\n"]);
    assert.deepEqual(pick(await at("stop", ipc)), [0, "", stopLines(2)]);
    assert.deepEqual(readdirSync(scratch), []);
  }),
);

test(
  "the environment and the directory of the caller stay here unless they are typed",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    await naught.succeed(["start", server("http.cjs")]);
    const environment = () => {
      const pid = naught.workers()[0]?.pid;
      return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    };
    const at = (...rest: string[]) =>
      naught.succeed(["deploy", "--host", ssh.destination, ...rest, naught.path("naught.ipc")], {
        env: { ...ssh.env, COLOUR: "blue" },
        cwd: "/",
      });
    await at();
    assert.ok(!environment().includes("COLOUR=blue"));
    await at("--override-env", "true");
    assert.ok(environment().includes("COLOUR=blue"));
    await naught.succeed(["stop"]);
  }),
);

test(
  "what cannot be reached is told apart, in one line and within a bounded time",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    const gateway = await openGateway(naught, ssh.address);
    gateway.freeze();
    const stranger = ssh.addKey("stranger", 'from="192.0.2.1"');
    const { host, port } = ssh.address;
    const env = { ...ssh.env, NAUGHT_HOST_TIMEOUT: "3" };
    const cases: [string, Record<string, string>, RegExp][] = [
      ["nowhere.invalid", env, /there is no host of that name/],
      [`${host}:1`, env, /nobody answers ssh there/],
      [ssh.destination, { ...env, PATH: stranger.PATH ?? "" }, /does not let this user in/],
      [ssh.destination, { ...env, NAUGHT_REMOTE_COMMAND: "/nowhere/naught" }, /naught was not found there/],
      [`${gateway.host}:${port}`, env, /does not answer|no answer|connection broke/],
      [ssh.destination, { ...env, PATH: "/nowhere" }, /there is no program `ssh`/],
    ];
    for (const [to, environment, expected] of cases) {
      const began = performance.now();
      const { code, stdout, stderr } = await naught.run(["status", "--host", to], { env: environment });
      assert.equal(code, 1, to);
      assert.equal(stdout, "");
      assert.match(stderr, new RegExp(`^naught status: cannot reach ${to}: .*\n$`));
      assert.match(stderr, expected);
      assert.ok(performance.now() - began < 10_000, `${to} took ${performance.now() - began} ms`);
    }
    naught.write("ssh/known_hosts", "");
    const unknown = await naught.run(["status", "--host", ssh.destination], { env });
    assert.match(unknown.stderr, /^naught status: .*its host key is not known here.*\n$/);
    const started = await naught.run(["start", "--host", "nowhere.invalid", "x.js"], { env });
    assert.equal(started.code, 1);
    assert.match(started.stderr, /^naught start: .*there is no host of that name.*\n$/);
    for (const bad of ["-oProxyCommand=touch x", "a@-oProxyCommand=x", "a b", "h:0", "$(id)", ""]) {
      const refused = await naught.run(["status", "--host", bad], { env });
      assert.deepEqual([refused.code, refused.stderr.split("\n").length], [2, 2], bad);
    }
    assert.ok(!existsSync(naught.path("x")));
  }),
);

for (const { fate, told, expected } of [
  { fate: "cut" as const, told: "is cut", expected: /connection broke|was closed/ },
  { fate: "freeze" as const, told: "freezes", expected: /nothing came for 3 s|does not answer/ },
]) {
  test(
    `a deploy goes on to its end when its link ${told}, the command says so, and another one sees the end`,
    { skip },
    e2e(async (naught) => {
      const ssh = await startSshd(naught);
      const gateway = await openGateway(naught, ssh.address);
      const gate = makeGate(naught);
      await naught.succeed(["start", gate.script]);
      const before = naught.workers().map(({ pid }) => pid);
      gate.shut();
      const env = { ...ssh.env, NAUGHT_HOST_TIMEOUT: "3" };
      const through = `${gateway.host}:${gateway.port}`;
      const ipc = naught.path("naught.ipc");
      const deploy = naught.spawn(["deploy", "--host", through, ipc], { env, cwd: "/" });
      await deploy.said("stderr", "SpawnNew");
      gateway[fate]();
      const began = performance.now();
      const { code, stderr } = await deploy.finished;
      assert.equal(code, 1);
      assert.ok(performance.now() - began < 10_000);
      const last = stderr.trimEnd().split("\n").at(-1) ?? "";
      assert.match(last, expected);
      const [, id = ""] = /`naught deploy --host \S+ --attach (\S+) \S+` reports its end$/.exec(last) ?? [];
      assert.ok(last.startsWith(`naught deploy: the connection to ${through} was lost: `), last);
      const attach = (name: string) =>
        naught.spawn(["deploy", ...direct(ssh), "--attach", name, ipc], { env, cwd: "/" });
      const again = attach(id);
      const current = attach("current");
      for (const each of [again, current]) await each.said("stderr", "Deploy already in progress.");
      gate.open();
      for (const each of [again, current]) {
        const end = await each.finished;
        assert.deepEqual([end.code, end.stderr.trimEnd().split("\n").at(-1)], [0, "done"]);
      }
      assert.ok(naught.workers().every(({ pid }) => !before.includes(pid)));
      // It can still be asked for when it has ended.
      const late = await attach(id).finished;
      assert.deepEqual([late.code, late.stderr], [0, "done\n"]);
      await naught.succeed(["stop"]);
    }),
  );
}

test(
  "Ctrl-C aborts a deploy on another host",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    const gate = makeGate(naught);
    await naught.succeed(["start", gate.script]);
    gate.shut();
    const deploy = naught.spawn(["deploy", ...direct(ssh), naught.path("naught.ipc")], { env: ssh.env });
    await deploy.said("stderr", "SpawnNew");
    deploy.interrupt();
    const { code, stderr } = await deploy.finished;
    assert.equal(code, 1);
    assert.match(stderr, /\naborting deploy\n[\s\S]*\ndeploy aborted\n$/);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a socket that ssh forwards is an ipc file like any other",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    await naught.succeed(["start", server("http.cjs")]);
    const local = naught.path("local.sock");
    const { host, port } = ssh.address;
    const args = ["-N", "-o", "ExitOnForwardFailure=yes", "-o", "StreamLocalBindUnlink=yes"];
    const tunnel = launch(
      `${ssh.env.PATH?.split(":")[0]}/ssh`,
      [...args, "-p", String(port), "-L", `${local}:${naught.path("naught.ipc")}`, host],
      { cwd: naught.dir, env: { ...naught.env, ...ssh.env }, timeout: 60_000 },
    );
    await until("the tunnel", () => existsSync(local));
    assert.equal((await naught.succeed(["status", local])).stdout, "workers online: 1\n");
    assert.match((await naught.succeed(["deploy", local])).stderr, /done\n$/);
    await naught.succeed(["stop", local]);
    tunnel.signal("SIGTERM");
    await tunnel.finished;
    // ssh leaves it behind.
    assert.ok(existsSync(local));
    rmSync(local);
  }),
);

function direct(ssh: Ssh): string[] {
  return ["--host", ssh.destination];
}

function pick(end: { code: number | null; stdout: string; stderr: string }): unknown[] {
  return [end.code, end.stdout, end.stderr];
}
