/** Clients that others would write, and clients that others have written, against a real daemon. */
import assert from "node:assert/strict";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { e2e, type Naught, program } from "../support/naught.js";
import { type Finished, launch } from "../support/running.js";
import { root, server } from "../support/servers.js";

/** In CI nothing may be missing. */
function lacks(...programs: readonly string[]): string | false {
  if (process.env.CI) return false;
  const missing = programs.find((name) => !isThere(name));
  return missing !== undefined && `there is no ${missing} on this machine`;
}

function isThere(name: string): boolean {
  const folders = name.startsWith("/") ? [""] : (process.env.PATH ?? "").split(":");
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function run(naught: Naught, command: string, args: readonly string[], env: object = {}): Promise<Finished> {
  const own = {
    TERM: "dumb",
    XDG_CONFIG_HOME: naught.dir,
    XDG_DATA_HOME: naught.dir,
    XDG_STATE_HOME: naught.dir,
  };
  return launch(command, args, {
    cwd: naught.dir,
    env: { ...process.env, ...naught.env, ...own, ...env } as Record<string, string>,
  }).finished;
}

const examples: readonly {
  readonly command: string;
  readonly file: string;
  readonly needs: readonly string[];
}[] = [
  { command: "python3", file: "stdlib.py", needs: ["python3"] },
  // Debian's own, which has Debian's libraries.
  {
    command: "/usr/bin/python3",
    file: "library.py",
    needs: ["/usr/lib/python3/dist-packages/pylsp_jsonrpc"],
  },
  { command: "sh", file: "deploy.sh", needs: ["nc", "jq"] },
  { command: "ruby", file: "client.rb", needs: ["ruby"] },
];

for (const { command, file, needs } of examples) {
  test(
    `examples/${file} deploys`,
    { skip: lacks(...needs) },
    e2e(async (naught) => {
      await naught.succeed(["start", "--worker-count", "2", server("http.cjs")]);
      const { code, stdout, stderr } = await run(naught, command, [
        join(root, "examples", file),
        "naught.ipc",
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^naught 2\./);
      assert.match(stdout, /^workers online: 2$/m);
      assert.match(stdout, /^done *$/m);
      assert.match(stdout + stderr, /^\d+ OldExit/m);
      await naught.succeed(["stop"]);
    }),
  );
}

/** What each editor reports, having called everything. */
const report = [
  "daemon/hello answered",
  "daemon/status answered",
  "daemon/watch answered",
  "daemon/deploy done",
  "daemon/attachDeploy done",
  "daemon/abortDeploy refused 3",
  "daemon/nope refused -32601",
  "events heard",
  "daemon/stop answered",
];

async function edit(naught: Naught, command: string, args: readonly string[]): Promise<string[]> {
  await naught.succeed(["start", "--worker-count", "1", server("http.cjs")]);
  const env = {
    IPC: naught.path("naught.ipc"),
    OUT: naught.path("out"),
    NODE: process.execPath,
    NAUGHT: program,
  };
  const { stdout, stderr } = await run(naught, command, args, env);
  const told = naught.read("out") || stdout;
  if (told === "") assert.fail(stderr);
  return told.trim().split("\n");
}

const editors = join(root, "test/editors");

test(
  "Emacs, with jsonrpc.el, calls every method",
  { skip: lacks("emacs") },
  e2e(async (naught) => {
    const args = ["-Q", "--batch", "-l", join(editors, "emacs.el"), naught.path("naught.ipc")];
    assert.deepEqual(await edit(naught, "emacs", args), report);
  }),
);

test(
  "Vim, with a channel in mode lsp, calls every method",
  { skip: lacks("vim.nox") },
  e2e(async (naught) => {
    const args = ["-es", "-N", "-u", "NONE", "-i", "NONE", "-S", join(editors, "vim.vim")];
    assert.deepEqual(await edit(naught, "vim.nox", args), report);
  }),
);

test(
  "Neovim, with vim.lsp.rpc and the bridge for a server, calls every method",
  { skip: lacks("nvim") },
  e2e(async (naught) => {
    const args = ["--headless", "-u", "NONE", "-i", "NONE", "-c", `luafile ${join(editors, "nvim.lua")}`];
    assert.deepEqual(await edit(naught, "nvim", args), report);
  }),
);
