/** The chain's first process, in the place of a worker: says the same little thing as fast as its channel takes it. */
import { openChannel } from "../../src/protocol/channel.js";
import { connect } from "../../src/protocol/peer.js";
import { Supervisor, Worker } from "../../src/protocol/worker.js";
import { refuseAllBut } from "./refusing.js";

const count = Number(process.argv[2]);
const peer = connect(
  openChannel(process),
  Worker,
  refuseAllBut(Worker, { shutdown: () => send().then(() => ({})) }),
  Supervisor,
);

/** In portions, so that the queue of the channel stays short. */
async function send(): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    peer.client.unlisten({ key: `tcp:127.0.0.1:${8000 + (sent % 8)}` });
    if (sent % 200 === 199) await new Promise((resolve) => setImmediate(resolve));
  }
}
