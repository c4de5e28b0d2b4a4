// Sends everything but the manual's words, before and after it is online.
const send = () => {
  for (const each of ["", "onlin", "Online", 0, null, [], {}, { naught: 1 }, { naught: 1, rpc: 7 }, "x".repeat(100000),
    { jsonrpc: "2.0", method: "supervisor/online", id: 1 }, { jsonrpc: "2.0", id: 1, result: {} }, { cmd: "NODE_x" }]) process.send(each);
};
const { exitOnShutdown, routes, server } = require("./http-core.cjs");
exitOnShutdown();
send();
server.on("listening", send);
routes["/trash"] = () => void send();
