// /crash throws, /exit exits, /offline declares itself offline and then goes on until it is told to shut down.
const { exitOnShutdown, routes } = require("./http-core.cjs");
exitOnShutdown();
routes["/crash"] = () => void setImmediate(() => { throw new Error("crashed on request"); });
routes["/exit"] = () => void setImmediate(() => process.exit(3));
routes["/offline"] = () => void process.send("offline");
