/** The documents against the code: options, events, status words, links. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import typia from "typia";
import { type CommandSpec, commandLine, commandNames } from "../../src/actors/cli/command-line.js";
import { printDefault } from "../../src/actors/cli/help.js";
import { printStatus } from "../../src/actors/cli/print.js";
import type { EventName, Status, WorkerStatus } from "../../src/protocol/types.js";
import { root } from "../support/servers.js";

const documents = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"];
const read = (name: string): string => readFileSync(join(root, name), "utf8");
const readme = read("README.md");

for (const command of commandNames) {
  test(`README has every option of ${command} with its default, and no other`, () => {
    const section = findSection(`### ${command}`);
    const spec: CommandSpec = commandLine[command];
    const expected = Object.entries(spec.options).map(([name, option]) => [
      `--${name}`,
      printDefault(option),
      option.type.placeholder,
    ]);
    const told = readTable(section).map((cells) => cells.slice(0, 3));
    assert.deepEqual(told, expected);
    assert.ok(section.includes(`    naught ${spec.usage}\n`), `the usage of ${command} should be there`);
  });
}

test("README has every event, and no other", () => {
  const told = readTable(findSection("## Events")).map(([name]) => name);
  assert.deepEqual(told.sort(), [...typia.misc.literals<EventName>()].sort());
});

test("README explains every status of a worker and of the server", () => {
  for (const status of typia.misc.literals<WorkerStatus>()) {
    assert.match(findSection("## Events"), new RegExp(`\`${status}\``));
  }
  const counts = { booting: 0, online: 1, dying: 0, new_online: 0 };
  const words = typia.misc
    .literals<Status["phase"]>()
    .map((phase) => printStatus({ phase, counts }).split("\n")[0]?.replace("1", "N"));
  assert.deepEqual(
    readTable(findSection("## Status words"))
      .map(([status]) => status)
      .sort(),
    words.sort(),
  );
});

for (const document of documents) {
  test(`every link of ${document} leads somewhere`, () => {
    const text = dropCode(read(document));
    const targets = [...text.matchAll(/\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]:\s*(\S+)/gm)].map(
      ([, inline, reference]) => inline ?? reference ?? "",
    );
    for (const target of targets) {
      if (/^https?:/.test(target)) continue;
      const [file = "", anchor] = target.split("#");
      assert.ok(existsSync(join(root, file || document)), `${target}: no such file`);
      if (anchor === undefined) continue;
      assert.ok(listAnchors(read(file || document)).includes(anchor), `${target}: no such heading`);
    }
  });
}

/** From a heading to the next one that is not below it. */
function findSection(heading: string): string {
  const lines = readme.split("\n");
  const begin = lines.indexOf(heading);
  assert.notEqual(begin, -1, `README should have the heading "${heading}"`);
  const level = heading.indexOf(" ");
  const isNext = (line: string): boolean => /^#{2,} /.test(line) && line.indexOf(" ") <= level;
  const length = lines.slice(begin + 1).findIndex(isNext);
  return lines.slice(begin, length < 0 ? undefined : begin + 1 + length).join("\n");
}

/** The cells of a section's first table, without its head and without marks of code. */
function readTable(section: string): string[][] {
  const lines = section.split("\n");
  const begin = lines.findIndex((line) => /^\| ?---/.test(line));
  if (begin < 0) return [];
  const rows = lines.slice(begin + 1);
  const length = rows.findIndex((line) => !line.startsWith("|"));
  return rows.slice(0, length < 0 ? undefined : length).map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim().replaceAll("`", "").replaceAll("\\|", "|")),
  );
}

function dropCode(text: string): string {
  return text.replace(/^```.*?^```/gms, "");
}

/** As the usual renderers make them. */
function listAnchors(text: string): string[] {
  const headings = [...dropCode(text).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
