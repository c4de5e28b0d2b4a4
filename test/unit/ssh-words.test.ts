/** What ssh is given and what it says: destinations, words for the other shell, and the reasons of a failure. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { buildDeploy } from "../../src/actors/cli/deploy.js";
import type { InvocationOf } from "../../src/actors/cli/parse.js";
import { findRemote } from "../../src/actors/cli/remote.js";
import { listWords } from "../../src/actors/cli/start-remote.js";
import { parseDestination } from "../../src/client/destination.js";
import { quoteProgram, quoteWords } from "../../src/client/shell.js";
import { diagnose } from "../../src/client/ssh-end.js";
import { parseCommand } from "../support/parse.js";

test("a destination is a host, perhaps with a user and a port", () => {
  const read = (text: string) => {
    const found = parseDestination(text);
    return found && [found.target, found.port];
  };
  assert.deepEqual(read("web"), ["web", undefined]);
  assert.deepEqual(read("deploy@web-1.example.com:2222"), ["deploy@web-1.example.com", 2222]);
  assert.deepEqual(read("me@corp@web"), ["me@corp@web", undefined]);
  assert.deepEqual(read("[::1]:22"), ["::1", 22]);
  assert.deepEqual(read("a@[fe80::1%eth0]"), ["a@fe80::1%eth0", undefined]);
  assert.deepEqual(read("fe80::1"), ["fe80::1", undefined]);
});

test("a destination that ssh or a shell could take for something else is refused", () => {
  const bad = [
    "",
    "-oProxyCommand=x",
    "a@-x",
    "-a@x",
    "a b",
    "a;b",
    "$(id)",
    "`id`",
    "a'b",
    "h:0",
    "h:65536",
    "h:x",
  ];
  for (const text of [...bad, "h:", "@h", "a@", "a\nb", "[::1]:", "x".repeat(300)]) {
    assert.equal(parseDestination(text), undefined, JSON.stringify(text));
  }
});

test("words reach the program on the other side as they are", () => {
  const words = [
    "",
    "a b",
    "it's",
    '"',
    "$HOME",
    "`id`",
    "a\nb",
    "\\",
    "*",
    "~",
    "-x",
    "ü",
    "!!",
    "a=b",
    "#",
  ];
  for (const shell of ["sh", "bash"]) {
    const out = execFileSync(shell, ["-c", `printf '%s\\0' ${quoteWords(words)}`], { encoding: "utf8" });
    assert.deepEqual(out.split("\0").slice(0, -1), words);
  }
  assert.equal(quoteProgram("~/my bin/naught"), "~/'my bin/naught'");
  assert.equal(quoteProgram("/a;b"), "'/a;b'");
});

test("how ssh ended is told apart", () => {
  const end = (code: number | null, log: string, stderr = "") =>
    diagnose({ code, log, stderr, signal: null });
  assert.equal(end(255, "ssh: Could not resolve hostname x: y").failure, "link");
  assert.equal(end(255, "u@h: Permission denied (publickey).").failure, "login");
  assert.equal(end(255, "Host key verification failed.").failure, "login");
  assert.match(end(127, "", "sh: 1: naught: not found").why, /not found there.*naught: not found/);
  assert.equal(end(3, "", "server not running").failure, "absent");
  assert.equal(end(4, "").failure, "unanswered");
  assert.equal(end(2, "", 'naught: unknown command "bridge"\n').why, 'naught: unknown command "bridge"');
  assert.equal(end(1, "", "\u001b[31mred\u0007\n\n").why, "[31mred");
  assert.equal(end(0, "").failure, "link");
});

test("the environment names a host, too, and an option wins", () => {
  const find = (environment: NodeJS.ProcessEnv, ...argv: string[]) =>
    findRemote((parseCommand("status", argv) as InvocationOf<"status">).options, environment);
  assert.equal(find({}), undefined);
  assert.equal(find({ NAUGHT_HOST: "" }), undefined);
  assert.equal(find({ NAUGHT_HOST: "a" })?.destination.target, "a");
  const both = find(
    { NAUGHT_HOST: "a", NAUGHT_REMOTE_COMMAND: "node x" },
    "--host",
    "b",
    "--remote-naught",
    "/c d",
  );
  assert.deepEqual([both?.destination.target, both?.command], ["b", "'/c d'"]);
  assert.equal(find({ NAUGHT_HOST: "a", NAUGHT_REMOTE_COMMAND: "node x" })?.command, "node x");
  assert.throws(() => find({ NAUGHT_HOST: "-a" }), /NAUGHT_HOST should be/);
});

test("a deploy for another host has nothing of this one that was not typed", () => {
  const build = (...argv: string[]) =>
    buildDeploy(parseCommand("deploy", argv) as InvocationOf<"deploy">, { A: "1" }, true);
  assert.deepEqual(build(), { workerCount: 0 });
  assert.deepEqual(build("--override-env", "true").env, { A: "1" });
  assert.equal(build("--override-env", "false").env, undefined);
  const typed = build("--cwd", "/srv", "--script", "/srv/x.js", "--", "y");
  assert.deepEqual(typed, { workerCount: 0, cwd: "/srv", script: "/srv/x.js", args: ["y"] });
  assert.throws(() => build("--cwd", "srv"), /--cwd should be an absolute path on another host/);
  assert.throws(() => build("--script", "x.js"), /--script should be an absolute path/);
  assert.throws(() => build("--worker-count", "auto"), /processors of this host/);
  assert.throws(() => build("--replace-env", "true"), /needs --override-env true/);
  assert.equal(build("--replace-env", "true", "--override-env", "true").replaceEnv, true);
});

test("a start for another host is typed again over there", () => {
  const argv = ["--host", "h", "--cwd=a b", "--worker-count", "auto", "s.js", "--host", "x"];
  assert.deepEqual(listWords(parseCommand("start", argv) as InvocationOf<"start">), [
    "start",
    ...["--worker-count=auto", "--cwd=a b", "--", "s.js", "--host", "x"],
  ]);
});
