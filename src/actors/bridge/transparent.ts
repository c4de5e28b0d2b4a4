/** A bridge that passes every byte on, in both directions, and looks at none. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/** Settles when the daemon has closed, or the client reads no more. A client that has said all still gets its answers. */
export function runTransparent(stdio: Duplex, socket: Socket): Promise<void> {
  stdio.pipe(socket);
  socket.pipe(stdio);
  stdio.on("error", () => {});
  stdio.on("close", () => socket.destroy());
  socket.on("error", () => {});
  return new Promise((resolve) => {
    const done = (): void => {
      if (stdio.writableFinished || stdio.destroyed) resolve();
      else stdio.end(() => resolve());
    };
    if (socket.destroyed) done();
    else socket.on("close", done);
  });
}
