/** The chain's third process, in the place of a daemon: numbers and dates events, and tells them to who watches. */
import { fork } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { openChannel } from "../../src/protocol/channel.js";
import { Daemon } from "../../src/protocol/daemon.js";
import { openFrames } from "../../src/protocol/frames.js";
import { Host, Master } from "../../src/protocol/master.js";
import { connect, type Peer } from "../../src/protocol/peer.js";
import { Watcher } from "../../src/protocol/watcher.js";
import { refuseAllBut } from "./refusing.js";

const [path, ...args] = process.argv.slice(2);
let sequence = 0;
let watcher: Peer<typeof Watcher> | undefined;

const child = fork(join(import.meta.dirname, "chain-master.js"), args, { execArgv: [] });
const master = connect(
  openChannel(child),
  Host,
  refuseAllBut(Host, {
    event: (event) => {
      sequence += 1;
      watcher?.client.event({ ...event, sequence, time: new Date().toISOString() });
    },
  }),
  Master,
);
const server = createServer((socket) => {
  watcher = connect(
    openFrames(socket),
    Daemon,
    refuseAllBut(Daemon, {
      watch: () => master.client.ping({}),
    }),
    Watcher,
  );
});
server.listen(path, () => process.send?.("online"));
process.on("disconnect", () => process.exit(0));
