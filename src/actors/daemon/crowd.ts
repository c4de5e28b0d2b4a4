/** Everybody who is connected to the ipc file: owns how many there may be, and who makes room for a new one. */
import type { Socket } from "node:net";
import { createBudget } from "../../protocol/budget.js";
import { openFrames } from "../../protocol/frames.js";
import { type CrowdLimits, crowdLimits, limits } from "../../protocol/limits.js";
import type { Transport } from "../../protocol/transport.js";

/** One connection, as far as it matters who has to go. */
export interface Guest {
  /** It is one of the server's own workers, which are not counted. */
  isOwn(): boolean;
  /** It has asked for nothing that is not answered, and watches nothing. */
  isIdle(): boolean;
  /** It only waits for a stop, which needs nobody who waits. */
  isOnlyStopping(): boolean;
}

export interface Crowd {
  admit(socket: Socket): void;
}

/** `welcome` begins to serve a connection. */
export function createCrowd(
  welcome: (transport: Transport) => Guest,
  bounds: CrowdLimits = crowdLimits,
): Crowd {
  const guests = new Map<Guest, Transport>();
  const budget = createBudget(bounds.together);
  /** Those that are being closed, too. */
  let open = 0;

  const isFull = (): boolean =>
    guests.size >= bounds.connections &&
    [...guests.keys()].filter((guest) => !guest.isOwn()).length >= bounds.connections;
  const makeRoom = (): boolean => {
    const all = [...guests];
    // The oldest first.
    const found = all.find(([guest]) => guest.isIdle()) ?? all.find(([guest]) => guest.isOnlyStopping());
    if (!found) return false;
    const [guest, transport] = found;
    guests.delete(guest);
    transport.drop(`at most ${bounds.connections} connections are open, and this one made room for another`);
    return true;
  };

  return {
    admit(socket) {
      open += 1;
      socket.once("close", () => {
        open -= 1;
      });
      // Whoever does not hear why he was dropped has had his chance.
      if (open - guests.size > bounds.connections) return void socket.destroy();
      const transport = openFrames(socket, limits, budget);
      if (isFull() && !makeRoom()) {
        return transport.drop(`at most ${bounds.connections} connections are open, and all of them are busy`);
      }
      const guest = welcome(transport);
      guests.set(guest, transport);
      transport.reader.onClose(() => guests.delete(guest));
    },
  };
}
