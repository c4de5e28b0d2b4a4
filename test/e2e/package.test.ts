/** The package as it is published: packed, installed in an empty folder, and run from there. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deployLines, dropWaiting, startLines, stopLines } from "../support/events.js";
import { assertUnhurt, startLoad } from "../support/load.js";
import { e2e, type Naught } from "../support/naught.js";
import { launch } from "../support/running.js";
import { root, server } from "../support/servers.js";

test(
  "the packed package starts, deploys under load and stops when installed in an empty folder",
  e2e(async (naught) => {
    const folder = install(naught);
    const run = async (...args: string[]) => {
      const end = await launch(process.execPath, [join(folder, "node_modules/.bin/naught"), ...args], {
        cwd: naught.dir,
        env: naught.env,
      }).finished;
      assert.equal(end.code, 0, `${args[0]}: ${end.stderr}`);
      return end;
    };
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.equal((await run("version")).stdout, `${version}\n`);
    assert.match((await run("help")).stdout, /deploy-abort/);
    naught.write("version", "1");
    assert.equal(
      dropWaiting((await run("start", "--worker-count", "2", server("http.cjs"))).stderr),
      startLines(2),
    );
    const load = await startLoad(naught, { slowMs: 500 });
    naught.write("version", "2");
    assert.equal(dropWaiting((await run("deploy")).stderr), deployLines(2, 2));
    await load.saw("2");
    assertUnhurt(await load.stop());
    assert.equal((await run("status")).stdout, "workers online: 2\n");
    assert.equal(await askStatus(naught, folder), "online 2");
    assert.equal(await askClient(naught, folder), "online 2");
    assert.equal(dropWaiting((await run("stop")).stderr), stopLines(2));
  }),
);

test(
  "the package has no dependency to install, and its types are whole",
  e2e(async (naught) => {
    const folder = install(naught);
    assert.deepEqual(
      readdirSync(join(folder, "node_modules")).filter((name) => !name.startsWith(".")),
      ["naught"],
    );
    const client = `import { connect, NaughtError, type ClientEvent } from "naught";
import { Daemon, type Status, type Client } from "naught/protocol";
export const read = async (client: Client<typeof Daemon>): Promise<Status["phase"]> => (await client.status({})).phase;
// @ts-expect-error: there is no such method
export const wrong = (client: Client<typeof Daemon>) => client.nonsense({});
export const online = async (): Promise<number> => (await (await connect("naught.ipc")).status()).counts.online;
export const names = (event: ClientEvent): string => event.name;
export const isOurs = (error: unknown): boolean => error instanceof NaughtError && error.kind === "NotRunning";
// @ts-expect-error: the id is missing
export const lacking = async () => (await connect("naught.ipc")).attachDeploy({});
`;
    writeFileSync(join(folder, "client.ts"), client);
    const options = ["--noEmit", "--strict", "--module", "nodenext", "--moduleResolution", "nodenext"];
    // The library's own types are the user's to install, as are Node's.
    mkdirSync(join(folder, "node_modules/@types"));
    symlinkSync(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
    symlinkSync(join(root, "node_modules/undici-types"), join(folder, "node_modules/undici-types"));
    execFileSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), ...options, "--skipLibCheck", "client.ts"],
      {
        cwd: folder,
        stdio: "pipe",
        encoding: "utf8",
      },
    );
  }),
);

/** Through the protocol, by the package's own module. */
async function askStatus(naught: Naught, folder: string): Promise<string> {
  const script = `import { connect } from "node:net";
import { connect as serve, Daemon, openFrames, Watcher } from "naught/protocol";
const socket = connect(process.argv[2]);
const { client } = serve(openFrames(socket), Watcher, { event() {}, waiting() {}, notice() {} }, Daemon);
const { phase, counts } = await client.status({});
console.log(phase, counts.online);
socket.end();
`;
  writeFileSync(join(folder, "status.mjs"), script);
  const args = [join(folder, "status.mjs"), naught.path("naught.ipc")];
  const end = await launch(process.execPath, args, { cwd: folder, env: naught.env }).finished;
  assert.equal(end.code, 0, end.stderr);
  return end.stdout.trim();
}

/** By the package's client, imported and required. */
async function askClient(naught: Naught, folder: string): Promise<string> {
  const script = `import { createRequire } from "node:module";
import { connect, NaughtError } from "naught";
const same = createRequire(import.meta.url)("naught").NaughtError === NaughtError;
const client = await connect(process.argv[2]);
const { phase, counts } = await client.status();
client.close();
console.log(same && phase, counts.online);
`;
  writeFileSync(join(folder, "client.mjs"), script);
  const args = [join(folder, "client.mjs"), naught.path("naught.ipc")];
  const end = await launch(process.execPath, args, { cwd: folder, env: naught.env }).finished;
  assert.equal(end.code, 0, end.stderr);
  return end.stdout.trim();
}

function install(naught: Naught): string {
  const folder = naught.path("installed");
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  // Built already, by whoever runs the tests; building now would pull the programs from under the other tests.
  const npm = (cwd: string, ...args: string[]): string =>
    execFileSync("npm", [...args, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
      cwd,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  const [packed] = JSON.parse(npm(root, "pack", "--json", "--pack-destination", folder));
  const names = packed.files.map(({ path }: { path: string }) => path);
  for (const name of names)
    assert.match(
      name,
      /^(dist\/(?!cache)|examples\/|package\.json$|README\.md$|LICENSE$|CHANGELOG\.md$|protocol\.md$)/,
    );
  for (const name of [
    "dist/naught.cjs",
    "dist/types/protocol/index.d.ts",
    "dist/types/client/index.d.ts",
    "README.md",
    "LICENSE",
  ])
    assert.ok(names.includes(name), name);
  npm(folder, "install", "--no-save", join(folder, packed.filename));
  return folder;
}
