/** The socket on which a daemon is reached. Owns its server, and knows which of the files that come and go is its own. */
import { chmodSync, lchownSync, lstatSync, renameSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { NaughtError } from "../../protocol/errors.js";
import type { Start } from "../../protocol/types.js";
import { explain } from "./launch.js";
import { nameKind } from "./pid-file.js";
import { identify, type Presence } from "./presence.js";
import { cannotWrite, makeFolder, writing } from "./writing.js";

/** Who may connect, besides the owner. */
export type Access = Pick<Start, "ipcMode" | "ipcGroup">;

export interface IpcSocket {
  /** Listens at its path, at which nothing must stand. Throws CannotWrite or BadLaunch. */
  bind(): Promise<void>;
  /** Listens beside its path, where nobody looks. Throws as `bind` does. */
  bindAside(): Promise<void>;
  /** From there to its path, in one step, whatever stands there. Throws CannotWrite. */
  takePlace(): void;
  look: Presence["look"];
  close(): void;
}

/** What stands at the path by then is a dead daemon's, if anything. */
export function createIpcSocket(path: string, access: Access, accept: (socket: Socket) => void): IpcSocket {
  const dead = identify(path);
  let server: Server | undefined;
  let own: string | undefined;
  let aside: string | undefined;

  async function open(at: string): Promise<void> {
    makeFolder(path);
    // Removes the file that it had, if that is still there.
    server?.close();
    server = await listen(at, accept);
    try {
      widen(at, access);
    } catch (error) {
      server.close();
      throw error;
    }
  }

  return {
    async bind() {
      await open(path);
      own = identify(path);
    },
    async bindAside() {
      // A socket's path may not be longer than a hundred characters or so.
      const short = join(dirname(path), `.${process.pid}`);
      const next = Buffer.byteLength(short) <= Buffer.byteLength(path) ? short : `${path}.${process.pid}`;
      rmSync(next, { force: true });
      await open(next);
      aside = next;
    },
    takePlace() {
      const from = aside;
      if (from === undefined) throw new NaughtError("CannotWrite", `cannot write ${path}`);
      writing(path, () => renameSync(from, path));
      aside = undefined;
      own = identify(path);
    },
    look() {
      const found = identify(path);
      if (found === undefined || (own === undefined && found === dead)) return "gone";
      return found === own ? "here" : "elsewhere";
    },
    close() {
      // It may be another daemon's that stands there, since the directory was made anew.
      const isOwn = own !== undefined && identify(path) === own;
      if (isOwn || aside !== undefined) server?.close();
      // The server may know it by another name, from before it took a dead one's place.
      if (isOwn) rmSync(path, { force: true });
    },
  };
}

/** Removes what is left at the path of a daemon that is gone. Called with the lock held. */
export async function clearWay(path: string, removeOldIpc: boolean, lastOwnerIsDead: boolean): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isSocket() && !(removeOldIpc && (found.isFile() || found.isSymbolicLink()))) {
    throw new NaughtError("IpcNotSocket", `the ipc file ${path} is ${nameKind(found)}, not a socket`);
  }
  if (await isAnswering(path)) throw new NaughtError("AlreadyRunning");
  if (!removeOldIpc && !lastOwnerIsDead) throw new NaughtError("StaleIpc");
  writing(path, () => rmSync(path));
}

// Anything else means that somebody may be there, only too busy or not ours to talk to.
const nobody: readonly (string | undefined)[] = ["ECONNREFUSED", "ENOENT", "ENOTSOCK", "ENOTDIR", "ELOOP"];

function isAnswering(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(!nobody.includes(error.code)));
  });
}

function listen(path: string, accept: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    // Half-open: a client may close its sending half and wait for the answer.
    const server = createServer({ allowHalfOpen: true }, accept);
    // To the end: a connection that cannot be accepted, for want of descriptors, is an error, too.
    server.on("error", (error) => reject(cannotWrite(path, error)));
    // Bound within this call, so that nobody else can connect, not even for a moment.
    const umask = process.umask(0o177);
    try {
      server.listen({ path, exclusive: true }, () => resolve(server));
    } finally {
      process.umask(umask);
    }
  });
}

// The group first: with the mode first, members of the group that it had would get in for a moment.
function widen(path: string, { ipcGroup, ipcMode = ipcGroup === undefined ? 0o600 : 0o660 }: Access): void {
  try {
    if (ipcGroup !== undefined) lchownSync(path, process.getuid?.() ?? -1, ipcGroup);
    if (ipcMode !== 0o600) chmodSync(path, ipcMode & 0o666);
  } catch (error) {
    const whom = ipcGroup === undefined ? "" : ` to group ${ipcGroup}`;
    throw new NaughtError("BadLaunch", `the ipc file ${path} cannot be opened${whom}: ${explain(error)}`);
  }
}
