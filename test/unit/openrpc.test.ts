/** The OpenRPC document: valid by OpenRPC's own schema, complete, and true of what the validators accept. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { Ajv } from "ajv";
import { makeOpenRpc, type OpenRpc } from "../../scripts/openrpc.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { Watcher } from "../../src/protocol/watcher.js";

const root = resolve(import.meta.dirname, "../../..");
const document = makeOpenRpc(root);
const require = createRequire(import.meta.url);

const dialect = "https://meta.json-schema.tools";

test("it is valid by the schema of the OpenRPC project", () => {
  const { openrpcDocument } = require("@open-rpc/meta-schema") as { openrpcDocument: object };
  const { jsonSchema } = require("@json-schema-tools/meta-schema") as { jsonSchema: object };
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, validateSchema: false });
  ajv.addSchema(jsonSchema);
  // It calls that one by two names.
  const schema = JSON.parse(
    JSON.stringify(openrpcDocument).replaceAll(`"${dialect}"`, `"${dialect}/"`),
  ) as object;
  assert.ok(ajv.validate(schema, document), ajv.errorsText());
  const [first, ...rest] = document.methods;
  const broken = { ...document, methods: [{ ...first, params: "none" }, ...rest] };
  assert.equal(ajv.validate(schema, broken), false);
});

test("it has every method, notification and error, each with its sentence", () => {
  const names = (actor: string, methods: object) => Object.keys(methods).map((name) => `${actor}/${name}`);
  assert.deepEqual(
    document.methods.map(({ name }) => name),
    names("daemon", Daemon.methods),
  );
  assert.deepEqual(
    document["x-notifications"].map(({ name }) => name),
    names("watcher", Watcher.methods),
  );
  for (const { name, description } of [...document.methods, ...document["x-notifications"]])
    assert.ok(description.length > 0, name);
});

test("every reference in it leads somewhere", () => {
  const refs = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)];
  assert.ok(refs.length > 20);
  for (const [, part = "", name = ""] of refs) {
    const parts = document.components as unknown as Record<string, Record<string, unknown>>;
    assert.ok(parts[part]?.[name], `${part} ${name}`);
  }
});

test("its schemas accept what the validators accept, and refuse what they refuse", () => {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const find = (name: string) =>
    ajv.compile({ ...document.components.schemas[name], components: document.components });
  const cases: readonly [string, { success: boolean }, unknown][] = [
    ["Deploy", { success: true }, { id: "x", workerCount: 2, env: { A: "1" }, drain: { kill: null } }],
    ["Deploy", { success: false }, { workerCount: -1 }],
    ["Deploy", { success: false }, { args: ["a", 1] }],
    ["Watch", { success: true }, {}],
    ["Watch", { success: false }, { since: 1.5 }],
    ["Stop", { success: false }, { timeout: "1" }],
  ];
  const validators: Record<string, (input: unknown) => { success: boolean }> = {
    Deploy: Daemon.methods.deploy.params,
    Watch: Daemon.methods.watch.params,
    Stop: Daemon.methods.stop.params,
  };
  for (const [name, { success }, value] of cases) {
    const told = `${name} ${JSON.stringify(value)}`;
    assert.equal(find(name)(value), success, told);
    assert.equal(validators[name]?.(value).success, success, told);
  }
});

test("the built package has it", () => {
  const built = JSON.parse(readFileSync(join(root, "dist/openrpc.json"), "utf8")) as OpenRpc;
  assert.deepEqual(built, JSON.parse(JSON.stringify(document)));
});
