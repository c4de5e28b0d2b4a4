// Prints numbered lines, BYTES of them, as fast as they are taken, from the moment it is online; then a file says how it went.
const { writeFileSync } = require("node:fs");
const { once } = require("node:events");
const { exitOnShutdown, server } = require("./http-core.cjs");
exitOnShutdown();
const fillers = Array.from({ length: 90 }, (_, number) => ` ☃${"x".repeat((number * 7) % 90)};\n`);
const print = async () => {
  const from = Date.now();
  let count = 0;
  for (let left = Number(process.env.BYTES); left > 0; ) {
    let text = "";
    while (text.length < 65_000) text += `${process.pid} ${count}${fillers[count++ % 90]}`;
    left -= Buffer.byteLength(text);
    if (!process.stdout.write(text)) await once(process.stdout, "drain");
  }
  await new Promise((resolve) => process.stdout.write("", resolve));
  writeFileSync(`flooded-${process.pid}`, JSON.stringify({ count, from, to: Date.now() }));
};
server.on("listening", () => setImmediate(print));
