// Told to go it stays until its directory has a file called leave.
const { existsSync } = require("node:fs");
require("./http-core.cjs");
process.on("message", (message) => {
  if (message === "shutdown") setInterval(() => existsSync("leave") && process.exit(0), 10);
});
