// A server of bare sockets, for each of the addresses in LISTEN; every connection is told who answers.
const { writeFileSync } = require("node:fs");
const { createServer } = require("node:net");
const addresses = JSON.parse(process.env.LISTEN);
let missing = addresses.length;
const servers = addresses.map((address) => {
  const server = createServer((socket) => socket.on("error", () => {}).end(String(process.pid)));
  return server.listen(address, () => {
    missing -= 1;
    if (missing > 0) return;
    const listened = servers.map((each) => each.address());
    writeFileSync(`listened-${process.env.NAUGHT_WORKER}.json`, JSON.stringify(listened));
    process.send("online");
  });
});
process.on("message", (message) => message === "shutdown" && process.exit(0));
