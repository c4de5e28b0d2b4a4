// Writes numbered lines one by one, as fast as the system takes them; after each, a file says how many it has taken.
const { openSync, writeSync } = require("node:fs");
require("./http-core.cjs").exitOnShutdown();
const file = openSync(`accepted-${process.pid}`, "w");
let count = 0;
const line = (number) => `${process.pid} ${number} ☃${"x".repeat((number * 7) % 90)};\n`;
const print = () => {
  try {
    for (let i = 0; i < 50; i += 1) {
      writeSync(1, line(count));
      writeSync(file, String(++count).padStart(9), 0);
    }
  } catch (error) {
    if (error.code !== "EAGAIN") throw error;
  }
  setImmediate(print);
};
print();
