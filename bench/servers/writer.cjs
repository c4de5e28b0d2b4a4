// Writes BLOCKS times LINES lines of 100 bytes to stdout once the file GO is there, as fast as they are taken, and then the line END.
const { existsSync } = require("node:fs");
const { GO, BLOCKS, LINES } = process.env;
const line = `${"a line of a log, as long as lines of logs usually are, give or take a few words ".padEnd(99, ".")}\n`;
const block = line.repeat(Number(LINES));
let left = Number(BLOCKS);
const write = () => {
  // Under pm2 `write` returns nothing, and `drain` never comes.
  while (left-- > 0) if (process.stdout.write(block) === false) return process.stdout.once("drain", write);
  process.stdout.write("END\n");
};
const timer = setInterval(() => {
  if (!existsSync(GO)) return;
  clearInterval(timer);
  setInterval(() => {}, 1000);
  write();
}, 5);
const online = () => process.send?.(process.env.pm_id === undefined ? "online" : "ready");
online();
process.on("message", (message) => message === "shutdown" && process.exit(0));
process.on("SIGINT", () => process.exit(0));
