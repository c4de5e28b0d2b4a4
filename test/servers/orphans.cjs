// On /orphan it leaves a process behind: a grandchild whose parent is gone.
const { spawn } = require("node:child_process");
const { exitOnShutdown, routes } = require("./http-core.cjs");
routes["/orphan"] = () =>
  new Promise((resolve) => spawn("sh", ["-c", "sleep 1000 &"], { stdio: "ignore" }).on("exit", () => resolve({})));
exitOnShutdown();
