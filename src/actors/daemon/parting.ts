/** The end of a connection: a client that does not read its last answers is not waited for. */
import type { Peer } from "../../protocol/peer.js";
import type { Watcher } from "../../protocol/watcher.js";

/** Milliseconds that clients have to take their last answers. */
const patience = 500;

export function endPeer(peer: Peer<typeof Watcher>): Promise<void> {
  return new Promise((resolve) => {
    peer.onClose(resolve);
    peer.close();
    setTimeout(resolve, patience);
  });
}
