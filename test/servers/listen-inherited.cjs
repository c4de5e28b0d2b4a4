// Listens on the sockets that naught was given, by number or by address, as MODE says, and tells which those are.
const { createServer } = require("node:http");
const { answer } = require("./answer.cjs");
const { LISTEN_FD, LISTEN_FDS, LISTEN_PID, NAUGHT_LISTEN_FDS = "", NAUGHT_LISTEN_FDNAMES, GIVEN_PORT } = process.env;
const environment = { LISTEN_FD, LISTEN_FDS, LISTEN_PID, NAUGHT_LISTEN_FDS, NAUGHT_LISTEN_FDNAMES };
const addresses = {
  fd: () => [{ fd: Number(LISTEN_FD) }],
  exclusive: () => [{ fd: Number(LISTEN_FD), exclusive: true }],
  all: () => NAUGHT_LISTEN_FDS.split(",").map((fd) => ({ fd: Number(fd) })),
  address: () => JSON.parse(process.env.WHERE),
  any: () => [{ port: Number(GIVEN_PORT) }],
  wrong: () => [{ fd: 77 }],
}[process.env.MODE ?? "fd"]();
let missing = addresses.length;
const ready = () => (process.env.HANGS ? require("node:fs").writeFileSync("hangs", "") : process.send("online"));
for (const [index, address] of addresses.entries()) {
  const server = createServer(async (request, response) => {
    const about = request.url === "/about" ? { environment, index } : await answer(request.url);
    response.end(JSON.stringify(about));
  });
  server.listen(address, () => --missing === 0 && ready());
}
process.on("message", (message) => message === "shutdown" && process.exit(0));
