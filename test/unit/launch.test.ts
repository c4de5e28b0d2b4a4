/** A launch is resolved as it is at that moment: real paths, a script as node finds it, and clear words when it cannot be used. */
import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { resolveLaunch } from "../../src/actors/daemon/launch.js";
import { NaughtError } from "../../src/protocol/errors.js";
import type { Launch } from "../../src/protocol/types.js";
import { makeTemp } from "../support/temp.js";

interface Place {
  readonly dir: string;
  write(name: string, text?: string): string;
  link(target: string, name: string): void;
  resolve(changes?: Partial<Launch>): ReturnType<typeof resolveLaunch>;
}

function inPlace(body: (place: Place) => void): () => void {
  return () => {
    const { dir, remove } = makeTemp();
    const launch: Launch = {
      script: join(dir, "server.js"),
      cwd: dir,
      args: ["-x"],
      nodeArgs: ["--y"],
      env: { A: "1" },
    };
    try {
      body({
        dir,
        write(name, text = "") {
          const path = join(dir, name);
          mkdirSync(dirname(path), { recursive: true });
          writeFileSync(path, text);
          return path;
        },
        // In one step, as deploy tools do it.
        link(target, name) {
          symlinkSync(target, join(dir, "link"));
          renameSync(join(dir, "link"), join(dir, name));
        },
        resolve: (changes) => resolveLaunch({ ...launch, ...changes }),
      });
    } finally {
      remove();
    }
  };
}

function assertRefused(action: () => unknown, kind: NaughtError["kind"], message: RegExp): void {
  assert.throws(action, (error) => {
    assert.ok(error instanceof NaughtError);
    assert.equal(error.kind, kind);
    assert.match(error.message, message);
    return true;
  });
}

test(
  "what was asked for stays, beside what it leads to",
  inPlace(({ dir, write, link, resolve }) => {
    write("releases/1/server.js");
    link("releases/1", "current");
    const asked = { script: join(dir, "current/server.js"), cwd: join(dir, "current") };
    assert.deepEqual(resolve(asked), {
      ...asked,
      args: ["-x"],
      nodeArgs: ["--y"],
      env: { A: "1" },
      realScript: join(dir, "releases/1/server.js"),
      realCwd: join(dir, "releases/1"),
    });
  }),
);

for (const script of ["server.js", "server", ""]) {
  test(
    `links are followed anew each time: current/${script}`,
    inPlace(({ dir, write, link, resolve }) => {
      for (const release of ["1", "2", "3"]) {
        write(`releases/${release}/server.js`);
        write(`releases/${release}/package.json`, `{ "main": "./server.js" }`);
        link(`releases/${release}`, "current");
        const { realScript, realCwd } = resolve({
          script: join(dir, "current", script),
          cwd: join(dir, "current"),
        });
        assert.equal(realScript, join(dir, "releases", release, "server.js"));
        assert.equal(realCwd, join(dir, "releases", release));
      }
    }),
  );
}

test(
  "a script that is itself a link is followed, too, and anew",
  inPlace(({ dir, write, link, resolve }) => {
    for (const name of ["a.js", "b.js"]) {
      write(name);
      link(name, "server.js");
      assert.equal(resolve().realScript, join(dir, name));
    }
  }),
);

const spellings: {
  readonly files: Record<string, string>;
  readonly script: string;
  readonly found: string;
}[] = [
  { files: { "s.mjs": "" }, script: "s.mjs", found: "s.mjs" },
  { files: { "s.ts": "" }, script: "s.ts", found: "s.ts" },
  { files: { s: "", "s.js": "" }, script: "s", found: "s" },
  { files: { "s.js": "", "s/index.js": "" }, script: "s", found: "s.js" },
  { files: { "s.json": "" }, script: "s", found: "s.json" },
  { files: { "s/index.js": "" }, script: "s", found: "s/index.js" },
  {
    files: { "s/package.json": `{ "main": "lib/go" }`, "s/lib/go.js": "", "s/index.js": "" },
    script: "s",
    found: "s/lib/go.js",
  },
  {
    files: { "s/package.json": `{ "main": "lib" }`, "s/lib/index.js": "" },
    script: "s",
    found: "s/lib/index.js",
  },
  {
    files: { "s/package.json": `{ "main": "lost.js" }`, "s/index.js": "" },
    script: "s",
    found: "s/index.js",
  },
  { files: { "s/package.json": "broken", "s/index.js": "" }, script: "s", found: "s/index.js" },
];
for (const { files, script, found } of spellings) {
  test(
    `${script} is found as node finds it: ${found} among ${Object.keys(files).join(", ")}`,
    inPlace(({ dir, write, resolve }) => {
      for (const [name, text] of Object.entries(files)) write(name, text);
      assert.equal(resolve({ script: join(dir, script) }).realScript, join(dir, found));
    }),
  );
}

test(
  "a script that cannot be used is named, with the reason",
  inPlace(({ dir, write, link, resolve }) => {
    const refused = (name: string, message: RegExp) =>
      assertRefused(() => resolve({ script: join(dir, name) }), "ScriptNotFound", message);
    refused("lost.js", /cannot use the script .*\/lost\.js: no such file or directory$/);
    link("lost.js", "dangling.js");
    refused("dangling.js", /no such file or directory$/);
    link("loop.js", "loop.js");
    refused("loop.js", /too many symbolic links$/);
    mkdirSync(join(dir, "empty"));
    refused("empty", /it is a directory without a main script$/);
    write("file");
    refused("file/server.js", /a part of the path is not a directory$/);
    refused(`${"x".repeat(300)}.js`, /the name is too long$/);
    assertRefused(() => resolve({ script: "/dev/null" }), "ScriptNotFound", /it is not a file$/);
  }),
);

test(
  "a working directory that cannot be used is named, with the reason",
  inPlace(({ dir, write, link, resolve }) => {
    write("server.js");
    const refused = (name: string, message: RegExp) =>
      assertRefused(() => resolve({ cwd: join(dir, name) }), "DirectoryNotFound", message);
    refused("lost", /cannot use the working directory .*\/lost: no such file or directory$/);
    refused("server.js", /it is not a directory$/);
    link("lost", "dangling");
    refused("dangling", /no such file or directory$/);
  }),
);

test(
  "a NUL byte anywhere is refused, because no process can be started with it",
  inPlace(({ write, resolve }) => {
    write("server.js");
    for (const bad of [
      { args: ["a\0"] },
      { nodeArgs: ["\0"] },
      { env: { A: "\0" } },
      { env: { "A\0": "" } },
    ]) {
      assertRefused(() => resolve(bad), "BadLaunch", /NUL/);
    }
  }),
);
