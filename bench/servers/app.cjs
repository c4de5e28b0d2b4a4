// The server that every contender runs. BOOT_MS: how long it takes to boot; WORK_US: the processor time of a request;
// ON_SHUTDOWN=exit: it ends at once when told to, instead of closing its server first.
const { appendFileSync, existsSync } = require("node:fs");
const { createServer } = require("node:http");
const { BOOT_FILE, BOOT_MS = 0, CRASH_FILE, HOST, ON_SHUTDOWN, PORT, WORK_US = 0 } = process.env;
if (BOOT_FILE) appendFileSync(BOOT_FILE, ".");
if (CRASH_FILE && existsSync(CRASH_FILE)) process.exit(1);

const server = createServer((request, response) => {
  const until = performance.now() + WORK_US / 1000;
  while (performance.now() < until);
  const id = /[?&]id=([\w-]+)/.exec(request.url)?.[1] ?? null;
  const body = request.url === "/plain" ? "hello\n" : JSON.stringify({ pid: process.pid, version: "1", id });
  response.setHeader("content-length", Buffer.byteLength(body)).end(body);
});
const leave = () => (ON_SHUTDOWN === "exit" ? process.exit(0) : server.close(() => process.exit(0)));
const online = () => process.send?.(process.env.pm_id === undefined ? "online" : "ready");
setTimeout(() => server.listen({ host: HOST, port: Number(PORT) }, online), Number(BOOT_MS));
process.on("message", (message) => message === "shutdown" && leave());
process.on("SIGINT", leave);
