// Prints what BYTES holds, whatever it is, in pieces of changing sizes, some of them in turns of their own; then it is online.
const { readFileSync } = require("node:fs");
const { createServer } = require("node:http");
const { address } = require("./answer.cjs");
const bytes = readFileSync(process.env.BYTES);
const print = async () => {
  for (let at = 0, piece = 1; at < bytes.length; at += piece, piece = (piece * 7 + 1) % 9001) {
    process.stdout.write(bytes.subarray(at, at + piece));
    if (piece % 3 === 0) await new Promise(setImmediate);
  }
};
print().then(() => createServer().listen(address, () => process.send("online")));
process.on("message", (message) => message === "shutdown" && process.exit(0));
