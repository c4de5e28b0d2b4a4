// Goes on for ever after it was told to shut down.
require("./http-core.cjs");
process.on("message", (message) => message === "shutdown" && console.log("shutdown was heard"));
setInterval(() => undefined, 1000);
