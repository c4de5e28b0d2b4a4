/** The printed lines, to the letter. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as print from "../../src/actors/cli/print.js";

const counts = { booting: 1, online: 2, dying: 3, new_online: 4 };
const line = "booting: 1, online: 2, dying: 3, new_online: 4";
const rest = { booting: 0, online: 2, dying: 0, new_online: 0 };

test("events and statuses", () => {
  assert.equal(print.printEvent({ name: "SpawnNew", counts }), `SpawnNew. ${line}`);
  assert.equal(print.printStatus({ phase: "online", counts: rest }), "workers online: 2");
  assert.equal(print.printStatus({ phase: "online", counts }), `booting\n${line}`);
  assert.equal(print.printStatus({ phase: "booting", counts }), `booting\n${line}`);
  assert.equal(print.printStatus({ phase: "deploying", counts }), `deploy in progress\n${line}`);
  assert.equal(print.printStatus({ phase: "stopping", counts }), `shutting down\n${line}`);
});

test("who is waited for", () => {
  const worker = { id: 9, slot: 0, pid: 123, generation: 1, status: "booting", seconds: 5.2 } as const;
  assert.deepEqual(print.printWaiting([worker, { ...worker, slot: 1, status: "dying" }]), [
    "waiting for worker 0 (pid 123): booting for 5 s",
    "waiting for worker 1 (pid 123): dying for 5 s",
  ]);
});

test("how a deploy ended", () => {
  assert.deepEqual([0, 1, 2].map(print.printDone), [
    "done",
    "done, 1 old worker had to be killed",
    "done, 2 old workers had to be killed",
  ]);
  assert.deepEqual(print.printFailure({}), []);
  assert.deepEqual(print.printFailure({ reason: "worker 0 exited with code 1", stderr: [] }), [
    "worker 0 exited with code 1",
  ]);
  assert.deepEqual(print.printFailure({ reason: "why", stderr: ["Error: x", "  at y"] }), [
    "why",
    "last lines of its stderr:",
    "    Error: x",
    "      at y",
  ]);
});

test("what naught 1 said, too", () => {
  assert.equal(print.crashedAtBoot, "The server crashed without booting. Check stderr.log.");
  assert.equal(
    print.deployFailed,
    "Deploy failed. Check stderr.log and usage of 'online' and 'shutdown' events.",
  );
  assert.equal(print.deployInProgress, "Deploy already in progress. Press Ctrl+C to abort.");
  assert.equal(
    print.alreadyShuttingDown,
    "Waiting for shutdown already in progress.\nIf it hangs, Ctrl+C this command and try it again with --timeout 1",
  );
  assert.equal(
    print.printUnanswered("x/n.ipc"),
    "unable to connect to ipc-file `x/n.ipc`\n\n1. the ipc file specified is invalid, or\n2. the daemon process died unexpectedly",
  );
  assert.equal(
    print.printRemoving("n.ipc"),
    "unable to connect to ipc-file `n.ipc`\n\nremoving the ipc-file and attempting to continue",
  );
});

test("an error is one line, whatever it says", () => {
  assert.equal(print.printError(undefined, "a\n  b\r\nc"), "naught: a b c");
  assert.equal(print.printError("stop", "why"), "naught stop: why");
  assert.equal(print.printUsageError("stop", "no"), "naught stop: no (see: naught help stop)");
  assert.equal(print.printUsageError(undefined, "no"), "naught: no (see: naught help)");
});
