// Prints numbered lines, LINES of them every 10 ms until it is told to go. What it has printed by then is in a file of its own.
const { writeFileSync } = require("node:fs");
const { exitOnShutdown, routes } = require("./http-core.cjs");
let count = 0;
const line = (number) => `${process.pid} ${number} ☃${"x".repeat((number * 7) % 90)};\n`;
const print = (lines) => {
  let text = "";
  for (let i = 0; i < lines; i += 1) text += line(count++);
  if (text !== "") process.stdout.write(text);
};
setInterval(print, 10, Number(process.env.LINES ?? 10));
routes["/count"] = () => ({ pid: process.pid, count });
process.on("exit", () => writeFileSync(`printed-${process.pid}`, String(count)));
exitOnShutdown();
