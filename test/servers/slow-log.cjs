// Worker 0 prints as fast as its output is taken, BYTES at most; the others a line every 20 ms. Each line has the time at which it was printed.
const { once } = require("node:events");
const { exitOnShutdown, server } = require("./http-core.cjs");
exitOnShutdown();
const slot = process.env.NAUGHT_WORKER;
const say = (text) => process.stdout.write(`${slot} ${Date.now()} ${text}\n`);
const flood = async () => {
  const filler = "x".repeat(1000);
  for (let left = Number(process.env.BYTES); left > 0; left -= 1000) {
    if (!say(filler)) await once(process.stdout, "drain");
  }
  say("over");
};
server.on("listening", () => (slot === "0" ? void flood() : setInterval(say, 20, "here")));
