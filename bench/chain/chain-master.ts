/** The chain's second process, in the place of a master: makes an event of whatever its worker says. */
import { fork } from "node:child_process";
import { join } from "node:path";
import { openChannel } from "../../src/protocol/channel.js";
import { Host, Master } from "../../src/protocol/master.js";
import { connect } from "../../src/protocol/peer.js";
import { Supervisor, Worker } from "../../src/protocol/worker.js";
import { refuseAllBut } from "./refusing.js";

const daemon = connect(
  openChannel(process),
  Master,
  refuseAllBut(Master, {
    ping: async () => {
      await worker.client.shutdown({ grace: 0, timeout: 0 });
      return {};
    },
  }),
  Host,
);
const child = fork(join(import.meta.dirname, "chain-worker.js"), process.argv.slice(2), { execArgv: [] });
const worker = connect(
  openChannel(child),
  Supervisor,
  refuseAllBut(Supervisor, {
    online: () => ({}),
    offline: () => ({}),
    unlisten: ({ key }) => {
      const counts = { booting: 0, online: 2, dying: 0, new_online: 0 };
      daemon.client.event({ name: "Status", counts, waitingFor: null, detail: key });
    },
  }),
  Worker,
);
process.on("disconnect", () => process.exit(0));
