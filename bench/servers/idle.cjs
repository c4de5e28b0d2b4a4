// What a supervisor costs that does nothing: a bare node process with a unix server.
require("node:net")
  .createServer()
  .listen(process.argv[2], () => process.send?.("online"));
