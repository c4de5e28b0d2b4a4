/** One daemon at a time holds an ipc file, and what it leaves behind when it is killed is in nobody's way. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ask, assertRefused, hold, names, readStartTime } from "../support/held-files.js";
import { e2e, type Naught } from "../support/naught.js";
import { kill } from "../support/processes.js";
import { launch } from "../support/running.js";
import { leaveStaleSocket } from "../support/stale.js";

const files = ["naught.ipc", "naught.ipc.owner", "naught.pid"];

for (const platform of ["linux", "darwin"]) {
  test(
    `one process at a time holds an ipc file (lock of ${platform})`,
    e2e(async (naught) => {
      const first = await hold(naught, { platform });
      assert.deepEqual(names(naught), files);
      await assertRefused(naught, /^AlreadyRunning/, { platform });
      await assertRefused(naught, /^AlreadyRunning/, { platform, removeOldIpc: true });
      assert.equal(await ask(naught.path("naught.ipc")), "here\n");
      const elsewhere = await hold(naught, { platform, ipcFile: "other.ipc", pidFile: "other.pid" });
      await elsewhere.close();
      await first.close();
      assert.deepEqual(names(naught), []);
      const second = await hold(naught, { platform });
      await second.close();
    }),
  );

  test(
    `what a killed holder leaves behind is in nobody's way (lock of ${platform})`,
    e2e(async (naught) => {
      for (let round = 0; round < 3; round += 1) {
        const held = await hold(naught, { platform });
        assert.equal(naught.read("naught.pid"), `${held.pid}\n`);
        await held.kill();
        assert.deepEqual(names(naught), files);
      }
      const last = await hold(naught, { platform });
      await last.close();
      assert.deepEqual(names(naught), []);
    }),
  );
}

test(
  "of many that come at once, fresh or after a crash, one holds the files",
  e2e(async (naught) => {
    for (const platform of ["linux", "darwin"]) {
      for (let round = 0; round < 3; round += 1) {
        const attempts = await Promise.allSettled(
          Array.from({ length: 6 }, () => hold(naught, { platform })),
        );
        const won = attempts.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
        assert.equal(won.length, 1);
        assert.equal(naught.read("naught.pid"), `${won[0]?.pid}\n`);
        await won[0]?.kill();
      }
    }
    await (await hold(naught)).close();
  }),
);

test(
  "a holder that was killed and stays a zombie is dead",
  e2e(async (naught) => {
    // Its parent becomes a program that never asks for its children.
    const parent = launch(
      "/bin/sh",
      ["-c", `"$@" & exec sleep 60`, "sh", process.execPath, ...holderArgs(naught)],
      {
        cwd: naught.dir,
        env: naught.env,
      },
    );
    const pid = Number(await naught.wrote("naught.pid", /\n/));
    kill(pid);
    const held = await hold(naught);
    assert.match(readFileSync(`/proc/${pid}/stat`, "latin1"), /\) Z /);
    await held.close();
    parent.signal("SIGKILL");
    await parent.finished;
  }),
);

function holderArgs(naught: Naught): string[] {
  const options = {
    ipcFile: naught.path("naught.ipc"),
    pidFile: naught.path("naught.pid"),
    removeOldIpc: false,
  };
  return [new URL("../support/file-holder.js", import.meta.url).pathname, JSON.stringify(options)];
}

test(
  "a socket of unknown origin is left alone, unless it is to be removed",
  e2e(async (naught) => {
    await leaveStaleSocket(naught, "naught.ipc");
    await assertRefused(naught, /^StaleIpc/);
    const held = await hold(naught, { removeOldIpc: true });
    await held.close();
    assert.deepEqual(names(naught), []);
  }),
);

interface Owner {
  readonly pid: number;
  readonly startTime: string;
  readonly bootId: string;
  readonly hostname: string;
}

const records: { readonly of: string; readonly isDead: boolean; readonly edit: (owner: Owner) => unknown }[] =
  [
    {
      of: "another boot of this machine",
      isDead: true,
      edit: (owner) => ({ ...owner, bootId: "another", pid: process.pid }),
    },
    {
      of: "another machine",
      isDead: false,
      edit: (owner) => ({ ...owner, bootId: "another", hostname: "another" }),
    },
    {
      of: "a process whose number another process has by now",
      isDead: true,
      edit: (owner) => ({ ...owner, pid: process.pid }),
    },
    {
      of: "a process that lives",
      isDead: false,
      edit: (owner) => ({ ...owner, pid: process.pid, startTime: readStartTime(process.pid) }),
    },
    { of: "no number", isDead: false, edit: (owner) => ({ ...owner, pid: "x" }) },
    { of: "an impossible number", isDead: false, edit: (owner) => ({ ...owner, pid: 1.5 }) },
    { of: "nothing", isDead: false, edit: () => null },
  ];
for (const { of, isDead, edit } of records) {
  test(
    `a stale socket with the record of ${of} is ${isDead ? "cleaned silently" : "left alone"}`,
    e2e(async (naught) => {
      await (await hold(naught)).kill();
      naught.write(
        "naught.ipc.owner",
        JSON.stringify(edit(JSON.parse(naught.read("naught.ipc.owner")) as Owner)),
      );
      if (!isDead) await assertRefusedAsStale(naught);
      await (await hold(naught, { removeOldIpc: !isDead })).close();
    }),
  );
}

// Its record is worthless, and is not kept.
async function assertRefusedAsStale(naught: Naught): Promise<void> {
  await assertRefused(naught, /^StaleIpc/);
  assert.ok(names(naught).includes("naught.ipc"));
}

test(
  "a socket with a record that is no JSON is of unknown origin",
  e2e(async (naught) => {
    await (await hold(naught)).kill();
    naught.write("naught.ipc.owner", "{");
    await assertRefused(naught, /^StaleIpc/);
    await (await hold(naught, { removeOldIpc: true })).close();
  }),
);
