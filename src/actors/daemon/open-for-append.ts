/** Opens a file to append to, in a directory that is made where it is missing. */
import type { Stats } from "node:fs";
import { type FileHandle, mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { hasCode, isMissing } from "./trouble.js";

/** A file that has to be made gets the mode and the owner of the one that it follows. */
export async function openForAppend(
  file: string,
  former?: Stats,
): Promise<{ handle: FileHandle; stats: Stats }> {
  const present = await stat(file).catch(() => undefined);
  if (present?.isDirectory()) throw new Error("it is a directory");
  // To open a FIFO that nobody reads would block one of libuv's few threads for good.
  if (present?.isFIFO() || present?.isSocket()) throw new Error("it is not a file");
  const mode = former && former.mode & 0o777;
  const handle = await open(file, "a", mode).catch(async (error: unknown) => {
    if (!isMissing(error)) throw error;
    await makeDirectory(dirname(file));
    return await open(file, "a", mode);
  });
  if (former && !present && mode !== undefined) {
    // What the umask took away. Only root may give files away, and does so for a log that is somebody else's.
    await handle.chmod(mode).catch(() => {});
    await handle.chown(former.uid, former.gid).catch(() => {});
  }
  return { handle, stats: await handle.stat() };
}

/** Not with `recursive`, because Node then tries for ever where nothing can be made, as below `/proc`. */
async function makeDirectory(directory: string): Promise<void> {
  const make = () =>
    mkdir(directory).catch((error: unknown) => {
      if (!hasCode(error, "EEXIST")) throw error;
    });
  await make().catch(async (error: unknown) => {
    if (!isMissing(error) || dirname(directory) === directory) throw error;
    await makeDirectory(dirname(directory));
    await make();
  });
}
