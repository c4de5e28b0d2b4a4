/** Follows the links of a launch and checks that it can work, before anything is touched. */
import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { join } from "node:path";
import { NaughtError } from "../../protocol/errors.js";
import type { Launch, ResolvedLaunch } from "../../protocol/types.js";
import { cleanEnvironment } from "../environment.js";

/** Throws ScriptNotFound, DirectoryNotFound or BadLaunch. */
export function resolveLaunch(launch: Launch): ResolvedLaunch {
  const realCwd = resolveDirectory(launch.cwd);
  const realScript = resolveScript(launch.script);
  checkStrings(launch);
  return { ...launch, env: cleanEnvironment(launch.env), realScript, realCwd };
}

function resolveDirectory(cwd: string): string {
  try {
    const real = realpathSync(cwd);
    if (!statSync(real).isDirectory()) throw new Error("it is not a directory");
    accessSync(real, constants.X_OK);
    return real;
  } catch (error) {
    throw new NaughtError("DirectoryNotFound", `cannot use the working directory ${cwd}: ${explain(error)}`);
  }
}

function resolveScript(script: string): string {
  let real: string;
  try {
    real = realpathSync(findScript(script));
  } catch (error) {
    throw new NaughtError("ScriptNotFound", `cannot use the script ${script}: ${explain(error)}`);
  }
  try {
    accessSync(real, constants.R_OK);
  } catch (error) {
    throw new NaughtError("ScriptNotFound", `cannot read the script ${script}: ${explain(error)}`);
  }
  return real;
}

/**
 * As node finds its main script: with or without its extension, or as a directory. `require.resolve` would do the same,
 * but it remembers where a link led the first time.
 */
function findScript(script: string): string {
  const file = findFile(script);
  if (file !== undefined) return file;
  if (!statSync(script).isDirectory()) throw new Error("it is not a file");
  const found = [readMain(script), "index"]
    .flatMap((main) => (main ? [join(script, main)] : []))
    .map(findMain);
  const main = found.find((path) => path !== undefined);
  if (main === undefined) throw new Error("it is a directory without a main script");
  return main;
}

function findMain(path: string): string | undefined {
  return findFile(path) ?? findFile(join(path, "index"));
}

function findFile(path: string): string | undefined {
  return ["", ".js", ".json", ".node"].map((extension) => `${path}${extension}`).find(isFile);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function readMain(directory: string): string | undefined {
  try {
    const { main } = JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { main?: unknown };
    return typeof main === "string" ? main : undefined;
  } catch {
    return undefined;
  }
}

// A NUL byte would make the fork throw.
function checkStrings({ args, nodeArgs, env }: Launch): void {
  const bad = [...args, ...nodeArgs, ...Object.keys(env), ...Object.values(env)].some((text) =>
    text.includes("\0"),
  );
  if (bad)
    throw new NaughtError("BadLaunch", "arguments and environment variables must not contain a NUL byte");
}

/** The words of a system error, without the call and the path. */
export function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return (code && words[code]) ?? message;
}

const words: Readonly<Record<string, string>> = {
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPERM: "operation not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left on the device",
  ENOTDIR: "a part of the path is not a directory",
  // From mkdir, which was to make that part.
  EEXIST: "a part of the path is not a directory",
  EISDIR: "it is a directory",
  ELOOP: "too many symbolic links",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
};
