/** The servers under test, and what each kind needs on node's command line. */
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");

export interface ServerKind {
  readonly name: string;
  readonly script: string;
  readonly nodeArgs: readonly string[];
}

/** The path of a server under test. */
export function server(name: string): string {
  return join(root, "test/servers", name);
}

/** Every kind of server on which naught has to do its main job. */
export const kinds: readonly ServerKind[] = [
  { name: "plain node:http", script: server("http.cjs"), nodeArgs: [] },
  { name: "an ECMAScript module", script: server("esm.mjs"), nodeArgs: [] },
  { name: "TypeScript", script: server("http.ts"), nodeArgs: typeScriptArgs() },
  { name: "Express", script: server("express.cjs"), nodeArgs: [] },
  { name: "Fastify", script: server("fastify.mjs"), nodeArgs: [] },
  { name: "Koa", script: server("koa.cjs"), nodeArgs: [] },
  { name: "a server with its own Connection: keep-alive", script: server("keep-alive.cjs"), nodeArgs: [] },
  { name: "a server that does not know the word shutdown", script: server("no-shutdown.cjs"), nodeArgs: [] },
];

/** Node strips types itself from 22.6 on. */
function typeScriptArgs(): readonly string[] {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const canStrip = major > 22 || (major === 22 && minor >= 6);
  return canStrip ? ["--experimental-strip-types"] : ["--require", server("strip-types.cjs")];
}
