/** What a worker loads when daemon and master are both gone. */
export { reviveDaemon } from "../actors/worker/revival.js";
