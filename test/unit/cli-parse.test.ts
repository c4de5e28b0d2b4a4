/** What is typed becomes a command with values, or one line that says what was wrong. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { type CommandName, commandLine, commandNames } from "../../src/actors/cli/command-line.js";
import { printHelp, printUsage } from "../../src/actors/cli/help.js";
import type { Option } from "../../src/actors/cli/option.js";
import { findCommand, type InvocationOf } from "../../src/actors/cli/parse.js";
import { findClosest } from "../../src/actors/cli/spelling.js";
import { UsageError } from "../../src/actors/cli/usage-error.js";
import { parseCommand } from "../support/parse.js";

const parse = <K extends CommandName>(command: K, ...argv: string[]): InvocationOf<K> =>
  parseCommand(command, argv) as unknown as InvocationOf<K>;

const here = { host: undefined, "remote-naught": undefined };

test("start: every default of the manual", () => {
  const { options, operand, tail } = parse("start", "server.js");
  assert.deepEqual(options, {
    "worker-count": 1,
    "ipc-file": "naught.ipc",
    "ipc-mode": undefined,
    "ipc-group": undefined,
    "pid-file": "naught.pid",
    log: "naught.log",
    stdout: "stdout.log",
    stderr: "stderr.log",
    "max-log-size": 10485760,
    "max-log-files": 20,
    "max-log-total": null,
    "log-prefix": "none",
    "log-format": "text",
    "naught-log-format": "text",
    cwd: ".",
    "daemon-mode": true,
    "remove-old-ipc": false,
    "node-args": [],
    "launchd-socket": "",
    balance: "slots",
    "drain-grace": 10,
    "drain-timeout": 30,
    "shutdown-timeout": null,
    "hang-timeout": 30,
    "max-memory": null,
    ...here,
  });
  assert.equal(operand, "server.js");
  assert.deepEqual(tail, []);
});

const unchanged = {
  "drain-grace": undefined,
  "drain-timeout": undefined,
  "shutdown-timeout": undefined,
};

test("deploy and stop: every default", () => {
  assert.deepEqual(parse("deploy").options, {
    "worker-count": 0,
    "override-env": true,
    "replace-env": false,
    timeout: null,
    cwd: undefined,
    script: undefined,
    "node-args": undefined,
    attach: undefined,
    "hang-timeout": undefined,
    "max-memory": undefined,
    ...unchanged,
    ...here,
  });
  const stop = { timeout: null, "pid-file": "naught.pid", ...unchanged, ...here };
  assert.deepEqual(parse("stop").options, stop);
});

test("both ways to write an option, and the last one counts", () => {
  const { options } = parse("start", "--worker-count", "2", "--cwd=/a=b", "--worker-count=3", "s.js");
  assert.equal(options["worker-count"], 3);
  assert.equal(options.cwd, "/a=b");
  assert.equal(parse("start", "--worker-count", "auto", "s").options["worker-count"], availableParallelism());
  assert.equal(parse("deploy", "--worker-count=auto").options["worker-count"], availableParallelism());
});

test("values may begin with a dash, be empty, or have spaces and newlines in them", () => {
  const args = (...argv: string[]) => parse("start", ...argv, "s.js").options["node-args"];
  assert.deepEqual(args("--node-args", "--harmony"), ["--harmony"]);
  assert.deepEqual(args("--node-args", "--a --b=c\n\t-d "), ["--a", "--b=c", "-d"]);
  assert.deepEqual(args("--node-args", "-h"), ["-h"]);
  assert.deepEqual(args("--node-args", ""), []);
  assert.deepEqual(args("--node-args="), []);
  assert.equal(parse("start", "--log", "-", "s.js").options.log, "-");
  assert.equal(parse("start", "--ipc-file=--log", "s.js").options["ipc-file"], "--log");
});

test("all that follows the script belongs to the script", () => {
  const own = ["--worker-count", "x", "--", "-h", "--help", "", "--nonsense", "start"];
  const { operand, tail, options } = parse("start", "--worker-count", "2", "server.js", ...own);
  assert.equal(operand, "server.js");
  assert.deepEqual(tail, own);
  assert.equal(options["worker-count"], 2);
  const dashed = parse("start", "--", "-server.js", "--");
  assert.deepEqual([dashed.operand, dashed.tail], ["-server.js", ["--"]]);
  const many = Array.from({ length: 20_000 }, (_, index) => `${index}`);
  assert.deepEqual(parse("start", "s.js", ...many).tail, many);
});

test("deploy: what follows -- are new script arguments; without it there are none", () => {
  assert.equal(parse("deploy", "x.ipc").tail, undefined);
  assert.deepEqual(parse("deploy", "--").tail, []);
  const { operand, tail } = parse("deploy", "x.ipc", "--", "--port", "1", "--", "-h");
  assert.deepEqual([operand, tail], ["x.ipc", ["--port", "1", "--", "-h"]]);
});

test("timeouts", () => {
  const timeout = (text: string) => parse("stop", "--timeout", text).options.timeout;
  assert.deepEqual(["none", "0", "1", "0.25", ".5", "10."].map(timeout), [null, 0, 1, 0.25, 0.5, 10]);
});

test("help is a command wherever it is asked for before the script", () => {
  for (const argv of [["--help"], ["-h"], ["--worker-count", "2", "-h"]]) {
    assert.deepEqual(parseCommand("start", argv), {
      command: "help",
      options: {},
      typed: {},
      operand: "start",
      tail: undefined,
    });
  }
  assert.deepEqual(["help", "--help", "-h"].map(findCommand), ["help", "help", "help"]);
  assert.deepEqual(["version", "--version", "-v"].map(findCommand), ["version", "version", "version"]);
});

const count = 'should be a whole number from 1 to 1024, or "auto", not';
const time = 'a number of seconds from 0 to 2147483, or "none"';

const mistakes: readonly [CommandName, string[], string][] = [
  ["start", [], "the script to run is missing"],
  ["start", [""], "the script to run is missing"],
  ["start", ["--"], "the script to run is missing"],
  ["start", ["--worker-count", "2"], "the script to run is missing"],
  ["start", ["--worker-cout", "2", "s"], 'unknown option "--worker-cout"; did you mean "--worker-count"?'],
  ["start", ["--worker-cout=2", "s"], 'unknown option "--worker-cout"; did you mean "--worker-count"?'],
  ["start", ["--frobnicate", "s"], 'unknown option "--frobnicate"'],
  ["start", ["-w", "2", "s"], 'unknown option "-w"'],
  ["start", ["--new\nline", "s"], 'unknown option "--new\\nline"'],
  ["start", ["--worker-count"], '--worker-count needs a value: a whole number from 1 to 1024, or "auto"'],
  [
    "start",
    ["--ipc-file", "--log", "x", "s"],
    '--ipc-file needs a value (a path, not an empty one) before "--log"',
  ],
  ["start", ["--cwd", "--", "s"], '--cwd needs a value (a path, not an empty one) before "--"'],
  ...["-1", "0", "1.5", "1e9", "1025", "", " 1", "0x2", "Auto", "99999999999999999999"].map(
    (text): [CommandName, string[], string] => [
      "start",
      ["--worker-count", text, "s"],
      `--worker-count ${count} ${JSON.stringify(text)}`,
    ],
  ),
  [
    "start",
    ["--max-log-size", "0", "s"],
    '--max-log-size should be a whole number of bytes, at least 1, not "0"',
  ],
  [
    "start",
    ["--max-log-size=10k", "s"],
    '--max-log-size should be a whole number of bytes, at least 1, not "10k"',
  ],
  ["start", ["--daemon-mode", "no", "s"], '--daemon-mode should be "true" or "false", not "no"'],
  ["start", ["--remove-old-ipc=TRUE", "s"], '--remove-old-ipc should be "true" or "false", not "TRUE"'],
  ["start", ["--pid-file=", "s"], '--pid-file should be a path, not an empty one, not ""'],
  [
    "start",
    ["--drain-grace", "none", "s"],
    '--drain-grace should be a number of seconds from 0 to 2147483, not "none"',
  ],
  ["stop", ["--timeout", "-1"], `--timeout should be ${time}, not "-1"`],
  ["stop", ["--timeout", "1e3"], `--timeout should be ${time}, not "1e3"`],
  ["stop", ["--timeout", "Infinity"], `--timeout should be ${time}, not "Infinity"`],
  ["stop", ["--timeout"], `--timeout needs a value: ${time}`],
  ["stop", ["a.ipc", "b.ipc"], 'unexpected argument "b.ipc"'],
  ["stop", ["--", "a.ipc", "--timeout"], 'unexpected argument "--timeout"'],
  ["stop", [""], "the ipc-file should be a path, not an empty one"],
  ["version", ["--timeout", "1"], 'unknown option "--timeout"; this command takes no options'],
  [
    "deploy",
    ["--worker-count", "-1"],
    '--worker-count should be a whole number from 0 to 1024, or "auto", not "-1"',
  ],
  ["deploy", ["a", "b"], 'unexpected argument "b"; the script\'s arguments come after "--"'],
  ["deploy", ["--overide-env", "false"], 'unknown option "--overide-env"; did you mean "--override-env"?'],
  ["version", ["x"], 'unexpected argument "x"'],
];

for (const [command, argv, message] of mistakes) {
  test(`naught ${[command, ...argv.map((word) => JSON.stringify(word))].join(" ")}`, () => {
    assert.throws(
      () => parseCommand(command, argv),
      (error) => {
        assert.ok(error instanceof UsageError, String(error));
        assert.equal(error.message, message);
        return true;
      },
    );
  });
}

test("a misspelt command is recognised, nonsense is not", () => {
  assert.throws(() => findCommand("strat"), { message: 'unknown command "strat"; did you mean "start"?' });
  assert.throws(() => findCommand("dpeloy"), { message: 'unknown command "dpeloy"; did you mean "deploy"?' });
  assert.throws(() => findCommand("deployabort"), {
    message: 'unknown command "deployabort"; did you mean "deploy-abort"?',
  });
  assert.throws(() => findCommand("restart"), {
    message: 'unknown command "restart"; did you mean "start"?',
  });
  assert.throws(() => findCommand("frobnicate"), { message: 'unknown command "frobnicate"' });
  assert.throws(() => findCommand("constructor"), { message: 'unknown command "constructor"' });
  assert.throws(() => findCommand("--worker-count"), { message: 'unknown option "--worker-count"' });
  assert.equal(findClosest("x".repeat(100_000), commandNames), undefined);
});

test("help names every command, every option, and the defaults that are read", () => {
  for (const name of commandNames) {
    assert.ok(printUsage().includes(`naught ${name} `), name);
    const help = printHelp(name);
    for (const [option, { default: text = "" }] of Object.entries<Option>(commandLine[name].options)) {
      assert.ok(help.includes(`--${option} ${text || ""}`), `${name} --${option}`);
    }
    const tooLong = help.split("\n").filter((line) => line.length > 80);
    assert.deepEqual(tooLong, []);
  }
});
