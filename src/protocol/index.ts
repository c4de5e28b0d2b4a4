/** The protocol as other programs import it: `naught/protocol`. */
export { openChannel } from "./channel.js";
export * from "./contract.js";
export { Daemon } from "./daemon.js";
export { type ErrorName, errorTable, NaughtError } from "./errors.js";
export { openFrames } from "./frames.js";
export { Host, Master } from "./master.js";
export { connect, type Peer } from "./peer.js";
export type { Transport } from "./transport.js";
export type * from "./types.js";
export { Watcher } from "./watcher.js";
export { Supervisor, Worker } from "./worker.js";
