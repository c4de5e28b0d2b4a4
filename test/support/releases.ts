/** Release directories with a `current` link, as deploy tools lay them out. */
import { renameSync, rmSync, symlinkSync } from "node:fs";
import type { Naught } from "./naught.js";
import { server } from "./servers.js";

/** Writes `releases/N`, whose server tells at /release which files it was loaded from. */
export function makeRelease(naught: Naught, release: number): string {
  const at = (name: string) => `releases/${release}/${name}`;
  naught.write(at("library.cjs"), `module.exports = ${release};`);
  naught.write(at("late.mjs"), `export const release = ${release};`);
  return naught.write(
    at("server.cjs"),
    `const { exitOnShutdown, routes } = require(${JSON.stringify(server("http-core.cjs"))});
    exitOnShutdown();
    const required = require("./library.cjs");
    routes["/exit"] = () => void setImmediate(() => process.exit(3));
    routes["/release"] = async () => {
      const imported = (await import("./late.mjs")).release;
      const atCwd = require(process.cwd() + "/library.cjs");
      return { required, imported, atCwd, cwd: process.cwd(), file: __filename };
    };`,
  );
}

/** What /release answers when everything comes from one release. */
export function releaseAnswer(naught: Naught, release: number): Record<string, unknown> {
  const cwd = naught.path("releases", String(release));
  return { required: release, imported: release, atCwd: release, cwd, file: `${cwd}/server.cjs` };
}

/** Points `current` at a release, in one step. */
export function link(naught: Naught, release: number): void {
  symlinkSync(`releases/${release}`, naught.path("current.new"));
  renameSync(naught.path("current.new"), naught.path("current"));
}

export function removeRelease(naught: Naught, release: number): void {
  rmSync(naught.path("releases", String(release)), { recursive: true });
}
