/** `naught bridge` as a program and as a forced command, and the package's client on its own and through ssh. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { unlessCi } from "../support/installed.js";
import { e2e, program } from "../support/naught.js";
import { launch } from "../support/running.js";
import { root, server } from "../support/servers.js";
import { findObstacle, startSshd } from "../support/sshd.js";

const skip = unlessCi(findObstacle());

test(
  "a bridge answers on its stdout, ends with its input, and says when there is no daemon",
  e2e(async (naught) => {
    const ask = (...args: string[]) =>
      new Promise<{ code: number | null; out: string; err: string }>((resolve) => {
        const child = spawn(process.execPath, [program, "bridge", ...args], {
          cwd: naught.dir,
          env: naught.env,
        });
        const text = { out: "", err: "" };
        child.stdout.on("data", (chunk) => (text.out += chunk));
        child.stderr.on("data", (chunk) => (text.err += chunk));
        child.stdin.on("error", () => {});
        const call = '{"jsonrpc":"2.0","id":1,"method":"daemon/status"}';
        child.stdin.end(`Content-Length: ${call.length}\r\n\r\n${call}`);
        child.on("close", (code) => resolve({ code, ...text }));
      });
    assert.deepEqual(await ask(), { code: 3, out: "", err: "server not running\n" });
    naught.write("file", "");
    assert.equal((await ask("file")).code, 4);
    await naught.succeed(["start", server("http.cjs")]);
    for (const args of [[], ["naught.ipc"], ["--allow", "status"]]) {
      const { code, out, err } = await ask(...args);
      assert.deepEqual([code, err], [0, ""]);
      assert.match(out, /^Content-Length: \d+\r\n\r\n\{"jsonrpc":"2.0","id":1,"result":\{/);
    }
    assert.match((await ask("--allow", "watch")).out, /"code":13,/);
    const wrong = await ask("--allow", "start");
    assert.equal(wrong.code, 2);
    assert.match(wrong.err, /^naught bridge: --allow knows no method "start", only [\w, ]+ \(see: .*\)\n$/);
    await naught.succeed(["stop"]);
  }),
);

test(
  "a key with a forced command may do what it is allowed to do, and nothing else",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    const bridge = `${process.execPath} ${program} bridge --allow status,watch,deploy ${naught.path("naught.ipc")}`;
    const env = { ...ssh.addKey("deployer", `restrict,command="${bridge}"`), NAUGHT_HOST: ssh.destination };
    await naught.succeed(["start", server("http.cjs")]);
    const before = naught.workers();
    assert.equal((await naught.succeed(["status"], { env })).stdout, "workers online: 1\n");
    // Whatever it names instead is not what is run.
    assert.equal((await naught.succeed(["status", "/etc/passwd"], { env })).stdout, "workers online: 1\n");
    const words = ["deploy", "--script", "/bin/sh", "--override-env", "true", "--worker-count", "2"];
    const deploy = await naught.succeed(words, { env });
    assert.match(deploy.stderr, /^naught bridge: left out of the deploy: env, script$/m);
    assert.match(deploy.stderr, /\ndone\n$/);
    assert.equal(naught.workers().length, 2);
    assert.ok(naught.workers().every(({ pid }) => !before.some((worker) => worker.pid === pid)));
    for (const command of ["stop", "deploy-abort"]) {
      const refused = await naught.run([command], { env });
      assert.equal(refused.code, 1);
      assert.match(
        refused.stderr,
        new RegExp(`^naught ${command}: "daemon/\\w+" is not allowed on this connection\n$`),
      );
    }
    // The forced command is run in place of the start, finds no input, and ends.
    const start = await naught.run(["start", server("http.cjs")], { env });
    assert.equal(start.stdout, "");
    assert.equal(naught.workers().length, 2);
    // A login shell that has something to say first is not in the way.
    const greeted = ssh.addKey("greeted", `command="echo Welcome; date; ${bridge}"`);
    const welcome = await naught.succeed(["status", "--host", ssh.destination], { env: greeted });
    assert.equal(welcome.stdout, "workers online: 2\n");
    const silent = ssh.addKey("silent", 'command="true"');
    const nothing = await naught.run(["status", "--host", ssh.destination], { env: silent });
    assert.deepEqual([nothing.code, nothing.stderr.split("\n").length], [1, 2]);
    assert.match(nothing.stderr, /^naught status: cannot reach .*: the connection was closed\n$/);
    await naught.succeed(["stop"]);
  }),
);

test(
  "the package's client calls, watches and comes back, here and over ssh",
  { skip },
  e2e(async (naught) => {
    const ssh = await startSshd(naught);
    await naught.succeed(["start", server("http.cjs")]);
    const script = naught.write(
      "client.mjs",
      `import client from ${JSON.stringify(pathToFileURL(join(root, "dist/client.cjs")).href)};
      const { connect, NaughtError } = client;
      const target = JSON.parse(process.argv[2]);
      const naught = await connect(target);
      const seen = [];
      const events = naught.events();
      const reading = (async () => { for await (const { name } of events) seen.push(name); })();
      const { outcome } = await naught.deploy({ id: process.argv[3] });
      const again = await naught.attachDeploy({ deploy: process.argv[3] });
      const refused = await naught.attachDeploy({ deploy: "none" }).catch((error) => error instanceof NaughtError && error.kind);
      const { counts } = await naught.status();
      naught.close();
      await reading;
      console.log(JSON.stringify([outcome, again.outcome, refused, counts.online, seen.includes("ShutdownOld")]));`,
    );
    const ipcFile = naught.path("naught.ipc");
    const remote = { host: ssh.destination, ipcFile, command: ssh.env.NAUGHT_REMOTE_COMMAND };
    for (const [index, target] of [ipcFile, remote].entries()) {
      const end = await launch(process.execPath, [script, JSON.stringify(target), `release-${index}`], {
        cwd: naught.dir,
        env: { ...naught.env, ...ssh.env },
      }).finished;
      assert.deepEqual([end.code, end.stderr], [0, ""]);
      assert.equal(end.stdout, '["done","done","UnknownDeploy",1,true]\n');
    }
    await naught.succeed(["stop"]);
  }),
);
