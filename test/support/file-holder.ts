/** A program that holds a daemon's files until SIGTERM: the files alone, without a daemon around them. */
import type { Socket } from "node:net";
import { openFiles } from "../../src/actors/daemon/files.js";
import { NaughtError } from "../../src/protocol/errors.js";

const { platform, umask, ...options } = JSON.parse(process.argv[2] ?? "{}") as {
  ipcFile: string;
  pidFile: string;
  removeOldIpc: boolean;
  platform?: string;
  umask?: number;
};
// Elsewhere than on Linux the lock is a file, which works here, too.
if (platform !== undefined) Object.defineProperty(process, "platform", { value: platform });
if (umask !== undefined) process.umask(umask);

const sockets: Socket[] = [];
try {
  const files = await openFiles(options, (socket) => {
    sockets.push(socket);
    socket
      .on("error", () => {})
      .on("end", () => socket.end())
      .on("data", () => socket.end("here\n"));
  });
  process.once("SIGTERM", () => {
    files.close();
    console.log("closed");
    process.exit(0);
  });
  console.log(`opened with umask ${process.umask()}`);
} catch (error) {
  if (!(error instanceof NaughtError)) throw error;
  console.log(`${error.kind}: ${error.message}`);
}
