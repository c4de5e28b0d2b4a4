/** The protocol as it was recorded: nothing of it may go or change its meaning within one version. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { makeOpenRpc, type OpenRpc } from "../../scripts/openrpc.js";
import { protocolVersion } from "../../src/version.js";
import { findBreaks } from "../support/compatible.js";

const root = resolve(import.meta.dirname, "../../..");
const recorded = join(root, `test/recorded/protocol-${protocolVersion}.json`);
const read = (): OpenRpc => JSON.parse(readFileSync(recorded, "utf8")) as OpenRpc;

test("today's protocol has all that the recorded one had", () => {
  assert.deepEqual(findBreaks(read(), makeOpenRpc(root)), []);
});

/** Every change is made to a copy by its path; `null` takes away. */
const breaks: readonly {
  readonly change: string;
  readonly path: string;
  readonly to: unknown;
  readonly told: RegExp;
}[] = [
  {
    change: "a method is renamed",
    path: "methods.3.name",
    to: "daemon/release",
    told: /daemon\/deploy: is gone/,
  },
  { change: "a request becomes a notification", path: "methods.0.result", to: null, told: /another kind/ },
  {
    change: "an optional parameter becomes required",
    path: "methods.3.params.0.required",
    to: true,
    told: /is required now/,
  },
  {
    change: "a parameter is renamed",
    path: "methods.3.params.0.name",
    to: "name",
    told: /daemon\/deploy.id: is gone/,
  },
  {
    change: "a parameter changes its type",
    path: "methods.3.params.0.schema",
    to: { type: "number" },
    told: /daemon\/deploy.id: string is gone/,
  },
  {
    change: "a field of a result is gone",
    path: "components.schemas.Counts.properties.dying",
    to: null,
    told: /counts.dying: is gone/,
  },
  {
    change: "a field of a result changes its type",
    path: "components.schemas.Counts.properties.dying",
    to: { type: "string" },
    told: /string is new/,
  },
  {
    change: "a field of a result may be missing",
    path: "components.schemas.Hello.required",
    to: ["version"],
    told: /pid: may be missing/,
  },
  {
    change: "a field of a result may be null",
    path: "components.schemas.Hello.properties.pid",
    to: { oneOf: [{ type: "integer" }, { type: "null" }] },
    told: /null is new/,
  },
  {
    change: "an event is renamed",
    path: "components.schemas.EventName.oneOf.0.const",
    to: "Start",
    told: /"Bootup" is gone/,
  },
  {
    change: "a notification is gone",
    path: "x-notifications.0.name",
    to: "watcher/happened",
    told: /watcher\/event: is gone/,
  },
  {
    change: "a field of a notification is gone",
    path: "x-notifications.0.params.0.name",
    to: "other",
    told: /watcher\/event.sequence: is gone/,
  },
  {
    change: "a nested parameter becomes required",
    path: "components.schemas.DrainChanges.required",
    to: ["kill"],
    told: /drain.kill: is required now/,
  },
  {
    change: "an error changes its code",
    path: "components.errors.StillBooting.code",
    to: 99,
    told: /error StillBooting: was 4, is 99/,
  },
  {
    change: "an error is gone",
    path: "components.errors.StillBooting",
    to: null,
    told: /error StillBooting: was 4, is gone/,
  },
  {
    change: "a code is used again",
    path: "components.errors.New",
    to: { code: 4, message: "new" },
    told: /used twice/,
  },
];
for (const { change, path, to, told } of breaks) {
  test(`it would be noticed if ${change}`, () => {
    const before = makeOpenRpc(root);
    assert.match(findBreaks(before, alter(before, path, to)).join("\n"), told);
  });
}

const additions: readonly { readonly change: string; readonly path: string; readonly to: unknown }[] = [
  { change: "a field", path: "components.schemas.Hello.properties.motto", to: { type: "string" } },
  {
    change: "an optional parameter",
    path: "methods.3.params.20",
    to: { name: "slowly", required: false, schema: {} },
  },
  { change: "an event", path: "components.schemas.EventName.oneOf.40", to: { const: "Yawn" } },
  { change: "an error", path: "components.errors.New", to: { code: 99, message: "new" } },
];
for (const { change, path, to } of additions) {
  test(`${change} may be added`, () => {
    const before = makeOpenRpc(root);
    assert.deepEqual(findBreaks(before, alter(before, path, to)), []);
  });
}

function alter(document: OpenRpc, path: string, to: unknown): OpenRpc {
  const copy = structuredClone(document);
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  let at = copy as unknown as Record<string, unknown>;
  for (const key of keys) at = at[key] as Record<string, unknown>;
  if (to === null) delete at[last];
  else at[last] = to;
  if (Array.isArray(at)) at.splice(0, at.length, ...at.filter(Boolean));
  return copy;
}
