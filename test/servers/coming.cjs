// Listens, and boots as BOOT says.
const { existsSync, writeFileSync } = require("node:fs");
const { createServer, get } = require("node:http");
const { setTimeout: delay } = require("node:timers/promises");
const { address, answer } = require("./answer.cjs");
const server = createServer(async ({ url }, response) => response.end(JSON.stringify(await answer(url))));
const listen = (to = address) => new Promise((resolve) => server.listen(to, resolve));
const online = () => process.send("online");
const block = () => {
  while (!existsSync("go")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
};
const alone = async () => {
  while (!existsSync("alone")) await delay(5);
};
const isFirst = process.env.NAUGHT_WORKER === "0";
const ask = () => new Promise((resolve, reject) => get({ ...address, agent: false }, (response) => response.resume().on("end", resolve)).on("error", reject));
const boots = {
  plain: () => listen().then(online),
  fails: () => (isFirst ? online() : delay(300).then(() => process.exit(3))),
  dies: () => listen().then(boots.fails),
  gives_up: () => listen().then(() => (isFirst ? online() : delay(300).then(() => process.send("offline")))),
  hangs: () => listen().then(() => isFirst && online()),
  adds: () => listen().then(() => createServer().listen({ ...address, port: address.port + 1 }, boots.fails)),
  reopens: () => listen().then(() => new Promise((resolve) => server.close(resolve))).then(() => listen()).then(online),
  online_first: () => (online(), listen()),
  is_lonely: () => listen().then(() => (writeFileSync("lonely", ""), alone())).then(ask).then(online),
  asks: () => {
    writeFileSync(isFirst ? "first" : "second", "");
    if (!existsSync("go")) return setTimeout(boots.asks, 5);
    writeFileSync("asking", "");
    listen().then(online);
  },
  blocks: () => listen().then(() => (online(), block())),
  breaks: () => (existsSync("broken") ? process.exit(1) : listen().then(online)),
  warms_up: () => listen().then(ask).then(online),
};
boots[process.env.BOOT]();
process.on("message", (message) => message === "shutdown" && process.exit(0));
