/** The protocol as its source declares it, doc comments included: what no compiled code can tell. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

export interface Method {
  readonly name: string;
  readonly kind: "request" | "notification";
  readonly params: string;
  /** None for a notification. */
  readonly result: string | undefined;
  readonly handle: string | undefined;
  readonly doc: string;
}

export interface Hop {
  /** The contract's name in the source, `Daemon`. */
  readonly name: string;
  /** Its name on the wire, `daemon`. */
  readonly actor: string;
  readonly methods: readonly Method[];
}

export interface Field {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly doc: string;
  /** Such as `@minimum 0`, without the sign. */
  readonly tags: readonly string[];
}

export interface Shape {
  readonly name: string;
  readonly doc: string;
  readonly bases: readonly string[];
  readonly fields: readonly Field[];
  /** The values of a union, or the text of another alias. */
  readonly values: readonly { readonly text: string; readonly doc: string }[];
}

export function readHops(root: string): Hop[] {
  return ["daemon", "watcher", "master", "worker"].flatMap((name) => {
    const file = parse(root, `${name}.ts`);
    return file.statements
      .filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations)
      .flatMap((declared) => readHop(declared, file));
  });
}

function readHop({ name, initializer }: ts.VariableDeclaration, file: ts.SourceFile): Hop[] {
  if (!initializer || !ts.isCallExpression(initializer)) return [];
  const [actor, methods] = initializer.arguments;
  if (!actor || !ts.isStringLiteral(actor) || !methods || !ts.isObjectLiteralExpression(methods)) return [];
  return [
    {
      name: name.getText(file),
      actor: actor.text,
      methods: methods.properties.filter(ts.isPropertyAssignment).map((method) => readMethod(method, file)),
    },
  ];
}

function readMethod(method: ts.PropertyAssignment, file: ts.SourceFile): Method {
  if (!ts.isCallExpression(method.initializer)) throw new Error(`not a method: ${method.getText(file)}`);
  const { expression, arguments: given } = method.initializer;
  const types = given
    .filter(ts.isCallExpression)
    .map(({ typeArguments }) => typeArguments?.[0]?.getText(file) ?? "");
  return {
    name: method.name.getText(file),
    kind: expression.getText(file) === "request" ? "request" : "notification",
    params: types[0] ?? "",
    result: types[1],
    handle: /handle: "(in|out)"/.exec(method.initializer.getText(file))?.[1],
    doc: readDoc(method).text,
  };
}

/** The files that src/protocol/types.ts gathers, in its order. */
const vocabulary = ["vocabulary.ts", "launch.ts", "calls.ts", "hops.ts"];

export function readShapes(root: string): Shape[] {
  return vocabulary.flatMap((name) => {
    const file = parse(root, name);
    return file.statements.flatMap((statement) => {
      if (ts.isInterfaceDeclaration(statement)) return [readInterface(statement, file)];
      return ts.isTypeAliasDeclaration(statement) ? [readAlias(statement, file)] : [];
    });
  });
}

/** What one connection may cost, and what all of them may cost together. */
export function readLimits(root: string): readonly Field[] {
  const file = parse(root, "limits.ts");
  return file.statements
    .filter(ts.isInterfaceDeclaration)
    .flatMap((found) => readInterface(found, file).fields);
}

function readInterface(statement: ts.InterfaceDeclaration, file: ts.SourceFile): Shape {
  const bases =
    statement.heritageClauses?.flatMap(({ types }) => types.map((type) => type.getText(file))) ?? [];
  const fields = statement.members.filter(ts.isPropertySignature).map((field): Field => {
    const { text, tags } = readDoc(field);
    return {
      name: field.name.getText(file),
      type: (field.type?.getText(file) ?? "").replace(/\s+/g, " "),
      optional: field.questionToken !== undefined,
      doc: text,
      tags,
    };
  });
  return { name: statement.name.text, doc: readDoc(statement).text, bases, fields, values: [] };
}

function readAlias(statement: ts.TypeAliasDeclaration, file: ts.SourceFile): Shape {
  const members = ts.isUnionTypeNode(statement.type) ? [...statement.type.types] : [statement.type];
  const values = members.map((member, index) => {
    // The comment of a member stands before its bar, and so between it and the one before.
    const from = members[index - 1]?.end ?? statement.type.pos;
    const doc = /\/\*\*(.*?)\*\//s.exec(file.text.slice(from, member.getStart(file)))?.[1] ?? "";
    return { text: member.getText(file), doc: clean(doc) };
  });
  return { name: statement.name.text, doc: readDoc(statement).text, bases: [], fields: [], values };
}

function readDoc(node: ts.Node): { text: string; tags: string[] } {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).slice(-1);
  const tags = doc?.tags?.map((tag) => {
    // For TypeScript what follows `@type` is no text.
    const type = ts.isJSDocTypeTag(tag) ? tag.typeExpression.getText().replace(/[{}]/g, "") : "";
    return `${tag.tagName.text} ${type}${ts.getTextOfJSDocComment(tag.comment) ?? ""}`.trim();
  });
  return { text: clean(ts.getTextOfJSDocComment(doc?.comment) ?? ""), tags: tags ?? [] };
}

function clean(text: string): string {
  return text
    .replace(/^\s*\* ?/gm, " ")
    .replace(/\s+/g, " ")
    .trim();
}

function parse(root: string, name: string): ts.SourceFile {
  const path = join(root, "src/protocol", name);
  return ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.ES2022, true);
}
