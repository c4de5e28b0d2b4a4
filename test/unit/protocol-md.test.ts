/** protocol.md says what the code does: its tables are compared with the source, its examples with the validators. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { documentPath, fill, makeTables, root } from "../../scripts/protocol-md.js";
import { readHops, readLimits, readShapes } from "../../scripts/protocol-source.js";
import { local } from "../../scripts/protocol-tables.js";
import type { Contract, Methods } from "../../src/protocol/contract.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { errorTable, findErrorName, protocolErrorTable } from "../../src/protocol/errors.js";
import { crowdLimits, limits } from "../../src/protocol/limits.js";
import { Host, Master } from "../../src/protocol/master.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { Supervisor, Worker } from "../../src/protocol/worker.js";

const advice = "protocol.md is out of date: run `npm run docs`";
const document = readFileSync(documentPath, "utf8");
const contracts = { Daemon, Watcher, Master, Host, Supervisor, Worker } as unknown as Record<
  string,
  Contract<Methods>
>;

interface Message {
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number };
}

test("the generated tables are those of the code", () => {
  // Not `equal`, which would print both documents.
  assert.ok(document === fill(document, makeTables()), advice);
});

test("what is read from the source is what the compiled contracts have", () => {
  const hops = readHops(root);
  assert.deepEqual(hops.map(({ name }) => name).sort(), Object.keys(contracts).sort());
  for (const { name, actor, methods } of hops) {
    const contract = contracts[name];
    assert.equal(contract?.actor, actor);
    assert.deepEqual(
      methods.map(({ name, kind, handle }) => [name, kind, handle]),
      Object.entries(contract?.methods ?? {}).map(([name, method]) => [
        name,
        method.kind,
        method.kind === "request" ? method.handle : undefined,
      ]),
    );
  }
  assert.deepEqual(
    readLimits(root).map(({ name }) => name),
    [...Object.keys(limits), ...Object.keys(crowdLimits)],
  );
});

test("every method, type, event and limit has its sentence", () => {
  const events = readShapes(root).find(({ name }) => name === "EventName")?.values ?? [];
  assert.ok(events.length > 0);
  const told = [
    ...readHops(root).flatMap(({ methods }) => methods),
    ...readShapes(root),
    ...events,
    ...readLimits(root),
  ];
  for (const each of told) assert.ok(each.doc.length > 0, JSON.stringify(each));
});

test("every link leads to a heading", () => {
  const headings = new Set([...document.matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) => slug(text)));
  for (const [, target = ""] of document.matchAll(/\]\(#([^)]*)\)/g)) assert.ok(headings.has(target), target);
});

test("every method that a client meets has an example, and each is valid", () => {
  const examples = readExamples("call-examples");
  for (const contract of [contracts.Daemon, contracts.Watcher]) {
    for (const [name, method] of Object.entries(contract?.methods ?? {})) {
      // No client's: only a worker has what it takes.
      if (name === "lifeline") continue;
      const [call, answer] = examples.get(`${contract?.actor}/${name}`) ?? [];
      assert.ok(call, `${name}: ${advice}`);
      assert.deepEqual(method.params((call.params ?? {}) as never), {
        success: true,
        data: call.params ?? {},
      });
      if (method.kind === "request") assert.equal(method.result(answer?.result).success, true, name);
    }
  }
});

test("every error that is met on the wire has an example with its code", () => {
  const examples = readExamples("error-examples");
  for (const [name, { code }] of Object.entries({ ...errorTable, ...protocolErrorTable })) {
    if (local.includes(name) || name === "InternalError") continue;
    const answer = examples.get(name)?.at(-1);
    assert.equal(answer?.error?.code, code, `${name}: ${advice}`);
    if (code > 0) assert.equal(findErrorName(code), name);
  }
});

function readExamples(part: string): Map<string, Message[]> {
  const [, text = ""] = document.split(`<!-- generated: ${part} -->`);
  const blocks = (text.split("<!-- end -->")[0] ?? "").matchAll(/\*\*(.*?)\*\*\n\n```json\n(.*?)\n```/gs);
  return new Map([...blocks].map(([, name = "", lines = ""]) => [name, lines.split("\n").map(parse)]));
}

/** What is sent may be broken on purpose. */
function parse(line: string): Message {
  try {
    return JSON.parse(line) as Message;
  } catch {
    return {};
  }
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}
