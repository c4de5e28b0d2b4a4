// It serves, and leaves in the way that it is asked for.
const { exitOnShutdown, routes } = require("./http-core.cjs");
exitOnShutdown();
routes["/throw"] = () => setImmediate(() => { throw new Error("asked for"); });
routes["/exit"] = () => setImmediate(() => process.exit(1));
routes["/offline"] = () => { process.send("offline"); };
