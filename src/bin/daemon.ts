/** The daemon's program; also loaded by the command line, which runs the daemon within its own process in the foreground. */
import { closeSync, readdirSync, readFileSync } from "node:fs";
import { serveDaemon, serveHeir } from "../actors/daemon/serve.js";
import { openChannel } from "../protocol/channel.js";

export { serveDaemon };

if (require.main === module) {
  process.title = "naught daemon";
  closeInherited();
  // An argument, because it is to be seen in the list of processes, too.
  const serve = process.argv[2] === "heir" ? serveHeir : serveDaemon;
  serve(openChannel(process), (exitCode) => process.exit(exitCode));
}

// Node hands every descriptor above those it knows on to its children unless it is marked close-on-exec: the one of a
// shell's `exec 200>lock`, say, which would be held for as long as the daemon lives.
function closeInherited(): void {
  const closeOnExec = 0o2000000;
  for (const name of listDescriptors()) {
    const fd = Number(name);
    if (fd <= 2) continue;
    try {
      const [, flags = "0"] =
        /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "latin1")) ?? [];
      if ((Number.parseInt(flags, 8) & closeOnExec) === 0) closeSync(fd);
    } catch {
      // Gone already: the one that the directory was read with.
    }
  }
}

function listDescriptors(): string[] {
  try {
    return readdirSync("/proc/self/fd");
  } catch {
    return [];
  }
}
