/** The master's program: born empty, configured by its first request, ended by its pool. */

import { serveMaster } from "../actors/master/actor.js";
import { openChannel } from "../protocol/channel.js";

// A Ctrl-C or a service manager's signal to the whole group is meant for the daemon, which then stops the workers in order.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"] as const) process.on(signal, () => {});
// Workers get their launch's environment and nothing of this process's own.
for (const name of Object.keys(process.env)) delete process.env[name];

process.title = "naught master";
const channel = openChannel(process);
serveMaster(channel, () => {
  // After the answer to `stop` has been handed over, which happens in microtasks.
  setImmediate(() => {
    if (!process.connected) process.exit(0);
    process.once("disconnect", () => process.exit(0));
    channel.close();
  });
});
