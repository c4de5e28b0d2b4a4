/** Opens a file to append to, in a directory that is made where it is missing. */
import { closeSync, fchmodSync, fchownSync, fstatSync, openSync, type Stats } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { chmod, chown, close, open, stat as statOpen } from "./descriptors.js";
import { hasCode, isMissing, tolerate } from "./trouble.js";

export interface Opened {
  readonly fd: number;
  readonly stats: Stats;
}

/** A file that has to be made gets the mode and the owner of the one that it follows. */
export async function openForAppend(file: string, former?: Stats): Promise<Opened> {
  const present = await stat(file).catch(() => undefined);
  if (present?.isDirectory()) throw new Error("it is a directory");
  // To open a FIFO that nobody reads would block one of libuv's few threads for good.
  if (present?.isFIFO() || present?.isSocket()) throw new Error("it is not a file");
  const mode = former && former.mode & 0o777;
  const fd = await open(file, "a", mode).catch(async (error: unknown) => {
    if (!isMissing(error)) throw error;
    await makeDirectory(dirname(file));
    return await open(file, "a", mode);
  });
  try {
    if (former && !present && mode !== undefined) {
      // What the umask took away. Only root may give files away, and does so for a log that is somebody else's.
      await chmod(fd, mode).catch(() => {});
      await chown(fd, former.uid, former.gid).catch(() => {});
    }
    return { fd, stats: await statOpen(fd) };
  } catch (error) {
    await close(fd).catch(() => {});
    throw error;
  }
}

/** The same within this turn, for a log whose file was put aside a moment ago. */
export function openNextNow(file: string, { mode, uid, gid }: Stats): Opened {
  const fd = openSync(file, "a", mode & 0o777);
  try {
    tolerate(() => fchmodSync(fd, mode & 0o777));
    tolerate(() => fchownSync(fd, uid, gid));
    return { fd, stats: fstatSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
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
