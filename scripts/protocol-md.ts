/** Brings the generated parts of protocol.md up to date: `npm run docs`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { captureExamples } from "./protocol-examples.js";
import { tables } from "./protocol-tables.js";

export const root = resolve(import.meta.dirname, "../..");
export const documentPath = join(root, "protocol.md");

/** Replaces what stands between the markers of each part; the prose around them is left as it is. */
export function fill(document: string, parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts).reduce((text, [name, part]) => {
    const begin = `<!-- generated: ${name} -->`;
    const from = text.indexOf(begin);
    const to = text.indexOf("<!-- end -->", from);
    if (from < 0 || to < 0) throw new Error(`protocol.md has no part ${name}`);
    return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
  }, document);
}

export function makeTables(): Record<string, string> {
  return Object.fromEntries(Object.entries(tables).map(([name, make]) => [name, make(root)]));
}

if (process.argv[1] === import.meta.filename) {
  const examples = await captureExamples(join(root, "dist"));
  const before = readFileSync(documentPath, "utf8");
  writeFileSync(documentPath, fill(before, { ...makeTables(), ...examples }));
}
