/** What workers print into: FIFOs, and sockets where there are none. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readlinkSync } from "node:fs";
import { test } from "node:test";
import { promisify } from "node:util";
import { unlessCi } from "../support/installed.js";
import { e2e, type Naught, program } from "../support/naught.js";
import { get } from "../support/request.js";
import { server } from "../support/servers.js";

const run = promisify(execFile);

async function assertPrints(naught: Naught): Promise<void> {
  for (let count = 0; count < 20; count += 1) await get(naught, "/print");
  await naught.succeed(["stop"]);
  for (const [file, word] of [
    ["stdout.log", "out"],
    ["stderr.log", "err"],
  ] as const) {
    const numbers = naught.read(file).match(new RegExp(`(?<=^${word} \\d+ )\\d+$`, "gm"));
    assert.deepEqual(numbers?.map(Number), [...Array(22).keys()].slice(1));
  }
}

test(
  "workers print into FIFOs, which have no name",
  { skip: process.platform !== "linux" },
  e2e(async (naught) => {
    await naught.succeed(["start", server("lines.cjs")]);
    const [worker] = naught.workers();
    for (const fd of [1, 2]) {
      assert.match(readlinkSync(`/proc/${worker?.pid}/fd/${fd}`), /\/naught-\w+\/\d+ \(deleted\)$/);
    }
    await assertPrints(naught);
    assert.doesNotMatch(naught.read("naught.log"), /sockets/);
  }),
);

test("without mkfifo they print into sockets, and the log says so once", async (t) => {
  const mayUnshare = await run("unshare", ["-m", "true"]).then(
    () => true,
    () => false,
  );
  const obstacle = unlessCi(mayUnshare ? false : "may not unshare");
  if (obstacle) return t.skip(obstacle);
  await e2e(async (naught) => {
    const hide = 'mount --bind /dev/null "$(readlink -f "$(command -v mkfifo)")" && exec "$@"';
    const command = [process.execPath, program, "start", "--worker-count", "2", server("lines.cjs")];
    await run("unshare", ["-m", "sh", "-c", hide, "sh", ...command], { cwd: naught.dir, env: naught.env });
    assert.equal(naught.workers().length, 2);
    await naught.succeed(["deploy", "--worker-count", "1"]);
    for (let count = 0; count < 20; count += 1) await get(naught, "/print");
    await naught.succeed(["stop"]);
    assert.match(naught.read("stdout.log"), /^out \d+ 21$/m);
    const told = naught.read("naught.log").match(/^the workers' output goes through sockets.*$/gm);
    assert.deepEqual(told, [
      "the workers' output goes through sockets, which do not outlive naught: mkfifo could not be run: EACCES",
    ]);
  })();
});
