/** The protocol as an OpenRPC document: types and validators' rules from the contracts, sentences from their source. */
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import typia from "typia";
import type { Shapes } from "../src/protocol/contract.js";
import type { Daemon } from "../src/protocol/daemon.js";
import { errorTable, protocolErrorTable } from "../src/protocol/errors.js";
import type { Watcher } from "../src/protocol/watcher.js";
import { protocolVersion } from "../src/version.js";
import { type Hop, readHops } from "./protocol-source.js";
import { local } from "./protocol-tables.js";

/** A JSON Schema, as far as it is looked into. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly const?: unknown;
  readonly additionalProperties?: unknown;
  readonly minimum?: number;
  readonly format?: string;
}

export interface Descriptor {
  readonly name: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

export interface OpenRpcMethod {
  readonly name: string;
  readonly description: string;
  readonly paramStructure: "by-name";
  readonly params: readonly Descriptor[];
  /** None for a notification. */
  readonly result?: Descriptor;
  readonly errors?: readonly { readonly $ref: string }[];
}

export interface OpenRpc {
  readonly openrpc: string;
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly methods: readonly OpenRpcMethod[];
  readonly components: {
    readonly schemas: Readonly<Record<string, Schema>>;
    readonly errors: Readonly<Record<string, { readonly code: number; readonly message: string }>>;
  };
  /** What the daemon sends, which OpenRPC has no place for: shaped as the methods are. */
  readonly "x-notifications": readonly OpenRpcMethod[];
}

const served = typia.json.application<Shapes<typeof Daemon>, "3.1">();
const sent = typia.json.application<Shapes<typeof Watcher>, "3.1">();

/** `root` is where the source is. */
export function makeOpenRpc(root: string): OpenRpc {
  const hops = readHops(root);
  const schemas = { ...served.components.schemas, ...sent.components.schemas } as unknown as Record<
    string,
    Schema
  >;
  const errors = Object.fromEntries(
    Object.entries({ ...errorTable, ...protocolErrorTable })
      .filter(([name]) => !local.includes(name))
      .map(([name, { code, words }]) => [name, { code, message: words }]),
  );
  const describe = (hop: string, functions: readonly unknown[]): OpenRpcMethod[] =>
    (functions as readonly ShapeFunction[]).map((each) => describeMethod(find(hops, hop), each, schemas));
  const refs = Object.keys(errors).map((name) => ({ $ref: `#/components/errors/${name}` }));
  return {
    openrpc: "1.3.2",
    info: {
      title: "naught",
      version: String(protocolVersion),
      description:
        "What naught's daemon serves on its ipc file, framed by Content-Length headers. protocol.md explains it.",
    },
    methods: describe("Daemon", served.functions).map((method) => ({ ...method, errors: refs })),
    components: { schemas, errors },
    "x-notifications": describe("Watcher", sent.functions),
  };
}

interface ShapeFunction {
  readonly name: string;
  readonly parameters: readonly { readonly schema: Schema }[];
  readonly output?: { readonly schema: Schema };
}

function find(hops: readonly Hop[], name: string): Hop {
  const found = hops.find((hop) => hop.name === name);
  if (!found) throw new Error(`the source has no contract ${name}`);
  return found;
}

function describeMethod(
  { actor, methods }: Hop,
  { name, parameters, output }: ShapeFunction,
  schemas: Readonly<Record<string, Schema>>,
): OpenRpcMethod {
  const params = follow(parameters[0]?.schema ?? {}, schemas);
  const { kind, doc = "" } = methods.find((method) => method.name === name) ?? {};
  return {
    name: `${actor}/${name}`,
    description: doc,
    paramStructure: "by-name",
    params: Object.entries(params.properties ?? {}).map(([field, schema]) => ({
      name: field,
      ...(schema.description === undefined ? {} : { description: schema.description }),
      required: params.required?.includes(field) ?? false,
      schema,
    })),
    ...(kind === "request" && output ? { result: { name: "result", schema: output.schema } } : {}),
  };
}

/** What a reference stands for. */
export function follow(schema: Schema, schemas: Readonly<Record<string, Schema>>): Schema {
  const name = schema.$ref?.replace("#/components/schemas/", "");
  return name === undefined ? schema : (schemas[name] ?? {});
}

/** Called with the path of the file that is to be written. */
if (process.argv[1] === import.meta.filename) {
  const root = resolve(import.meta.dirname, "../..");
  const path = resolve(process.argv[2] ?? join(root, "dist/openrpc.json"));
  writeFileSync(path, `${JSON.stringify(makeOpenRpc(root), null, 2)}\n`);
}
