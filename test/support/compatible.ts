/** Compares two OpenRPC documents: what of the newer one would break a client, or a daemon, of the older one. */
import {
  type Descriptor,
  follow,
  type OpenRpc,
  type OpenRpcMethod,
  type Schema,
} from "../../scripts/openrpc.js";

/** `in`: what is sent to naught, which may come to take more. `out`: what naught sends, which may come to have more fields. */
type Direction = "in" | "out";
type Schemas = OpenRpc["components"]["schemas"];
type Complain = (text: string) => void;

export function findBreaks(before: OpenRpc, after: OpenRpc): string[] {
  const breaks: string[] = [];
  const complain: Complain = (text) => void breaks.push(text);
  const compare = openComparison(before.components.schemas, after.components.schemas, complain);
  pair(before.methods, after.methods, complain, (old, now) => {
    compareParams(old, now, (each, next, at) => compare(each, next, "in", at), complain);
    if ((old.result === undefined) !== (now.result === undefined)) complain(`${old.name}: has another kind`);
    else if (old.result && now.result)
      compare(old.result.schema, now.result.schema, "out", `${old.name} result`);
  });
  pair(before["x-notifications"], after["x-notifications"], complain, (old, now) => {
    for (const field of old.params) {
      const next = now.params.find(({ name }) => name === field.name);
      if (!next) complain(`${old.name}.${field.name}: is gone`);
      else if (field.required && !next.required) complain(`${old.name}.${field.name}: may be missing`);
      else compare(field.schema, next.schema, "out", `${old.name}.${field.name}`);
    }
  });
  for (const [name, { code }] of Object.entries(before.components.errors)) {
    const now = after.components.errors[name]?.code;
    if (now !== code) complain(`error ${name}: was ${code}, is ${now ?? "gone"}`);
  }
  const codes = Object.values(after.components.errors).map(({ code }) => code);
  if (new Set(codes).size !== codes.length) complain("an error's code is used twice");
  return breaks;
}

function pair(
  before: readonly OpenRpcMethod[],
  after: readonly OpenRpcMethod[],
  complain: Complain,
  compare: (old: OpenRpcMethod, now: OpenRpcMethod) => void,
): void {
  for (const old of before) {
    const now = after.find(({ name }) => name === old.name);
    if (now) compare(old, now);
    else complain(`${old.name}: is gone`);
  }
}

function compareParams(
  old: OpenRpcMethod,
  now: OpenRpcMethod,
  compare: (old: Schema, now: Schema, at: string) => void,
  complain: Complain,
): void {
  const find = (from: readonly Descriptor[], wanted: string) => from.find(({ name }) => name === wanted);
  for (const field of old.params) {
    const next = find(now.params, field.name);
    if (next) compare(field.schema, next.schema, `${old.name}.${field.name}`);
    else complain(`${old.name}.${field.name}: is gone`);
  }
  for (const { name, required } of now.params) {
    if (required && !find(old.params, name)?.required) complain(`${old.name}.${name}: is required now`);
  }
}

function openComparison(before: Schemas, after: Schemas, complain: Complain) {
  const compare = (old: Schema, now: Schema, direction: Direction, at: string): void => {
    const [one, other] = [list(old, before), list(now, after)];
    const [fewer, more] = direction === "in" ? [one, other] : [other, one];
    const isEnumeration = one.every(isValue) && other.every(isValue);
    // A client has to bear values that it does not know, as it does with fields; one that is gone was renamed.
    for (const each of isEnumeration ? one : fewer) {
      if (!(isEnumeration ? other : more).some((known) => isLike(each, known))) {
        complain(`${at}: ${name(each)} ${direction === "in" || isEnumeration ? "is gone" : "is new"}`);
      }
    }
    for (const each of one) {
      const same = other.find((known) => isLike(each, known));
      if (same && !isValue(each)) compareInside(each, same, direction, at);
    }
  };
  const compareInside = (old: Schema, now: Schema, direction: Direction, at: string): void => {
    if (direction === "in" && (now.minimum ?? -Infinity) > (old.minimum ?? -Infinity))
      complain(`${at}: at least ${now.minimum} now`);
    if (old.items && now.items) compare(old.items, now.items, direction, `${at}[]`);
    for (const [field, schema] of Object.entries(old.properties ?? {})) {
      const next = now.properties?.[field];
      const where = `${at}.${field}`;
      if (!next) complain(`${where}: is gone`);
      else compare(schema, next, direction, where);
      if (direction === "out" && old.required?.includes(field) && !now.required?.includes(field))
        complain(`${where}: may be missing`);
    }
    for (const field of now.required ?? []) {
      if (direction === "in" && !old.required?.includes(field)) complain(`${at}.${field}: is required now`);
    }
  };
  return compare;
}

/** The alternatives that a schema has. */
function list(schema: Schema, schemas: Schemas): Schema[] {
  const followed = follow(schema, schemas);
  return followed.oneOf ? followed.oneOf.flatMap((each) => list(each, schemas)) : [followed];
}

function isValue(schema: Schema): boolean {
  return "const" in schema;
}

function isLike(one: Schema, other: Schema): boolean {
  if (isValue(one) || isValue(other)) return one.const === other.const;
  const isNumber = ({ type }: Schema): boolean => type === "number" || type === "integer";
  return one.type === other.type || (isNumber(one) && isNumber(other));
}

function name(schema: Schema): string {
  return isValue(schema) ? JSON.stringify(schema.const) : (schema.type ?? "anything");
}
