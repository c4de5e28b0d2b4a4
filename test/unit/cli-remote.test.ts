/** Commands that reach another machine through what looks like a socket of this one. */
import assert from "node:assert/strict";
import type { Deploy } from "../../src/protocol/types.js";
import { end, noCounts, staged } from "../support/cli-stage.js";

const hello = (hostId: string) => ({ version: "2.0.0", protocol: 1, pid: 1, hostId });

staged(
  "a daemon on another machine gets no environment and no directory but what was typed",
  async (stage) => {
    const deploys: Deploy[] = [];
    await stage.listen(() => ({
      hello: () => hello("another"),
      deploy: (deploy) => {
        deploys.push(deploy);
        return { deploy: deploy.id ?? "", outcome: "done", counts: noCounts, killed: 0 };
      },
    }));
    assert.deepEqual(await stage.run(["deploy"]), end(0, "", "done\n"));
    assert.deepEqual(Object.keys(deploys[0] ?? {}).sort(), ["id", "workerCount"]);
    const env = { COLOUR: "blue" };
    await stage.run(["deploy", "--override-env", "true", "--cwd", "/srv"], { env });
    assert.equal(deploys[1]?.env?.COLOUR, "blue");
    assert.equal(deploys[1]?.cwd, "/srv");
    const relative = await stage.run(["deploy", "--cwd", "srv"]);
    assert.equal(relative.code, 2);
    assert.match(
      relative.stderr,
      /^naught deploy: --cwd should be an absolute path on another host, not "srv" .*\n$/,
    );
    assert.equal(deploys.length, 2);
  },
);

staged(
  "a deploy over there goes on when its connection ends here, and can be asked for again",
  async (stage) => {
    const attached: string[] = [];
    await stage.listen(({ socket }) => ({
      hello: () => hello("another"),
      deploy: () => {
        socket.destroy();
        return new Promise(() => {});
      },
      attachDeploy: ({ deploy }) => {
        attached.push(deploy);
        return { deploy, outcome: "done", counts: noCounts, killed: 0 };
      },
      status: () => ({ phase: "online", counts: noCounts, waitingFor: null, workers: [] }),
    }));
    const { code, stderr } = await stage.run(["deploy"]);
    assert.equal(code, 1);
    const lost =
      /^naught deploy: the connection to naught.ipc was lost: it was closed; the deploy goes on there, and `naught deploy --attach (\S+)` reports its end\n$/;
    const [, id = ""] = lost.exec(stderr) ?? [];
    assert.deepEqual(await stage.run(["deploy", "--attach", id]), end(0, "", "done\n"));
    assert.deepEqual(attached, [id]);
    const none = await stage.run(["deploy", "--attach", "current"]);
    assert.deepEqual(none, end(1, "", "naught deploy: no deploy in progress\n"));
  },
);

staged("--host belongs to commands that need a daemon", async ({ run }) => {
  const foreground = await run(["start", "--host", "h", "--daemon-mode", "false", "x.js"]);
  assert.equal(foreground.code, 2);
  assert.match(foreground.stderr, /^naught start: --host needs a daemon.*\n$/);
  const empty = await run(["status", "--host", ""]);
  assert.equal(empty.code, 2);
  assert.match(empty.stderr, /^naught status: --host should be \[user@\]host\[:port\], not "" .*\n$/);
});
