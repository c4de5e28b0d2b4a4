// Dies in many ways, each at a request of its own; with GONE=1 it exits at boot once the file of that name is there.
const { existsSync } = require("node:fs");
const { routes } = require("./http-core.cjs");
const hold = [];
const ways = {
  kill: () => process.kill(process.pid, "SIGKILL"),
  segv: () => process.kill(process.pid, "SIGSEGV"),
  abort: () => process.abort(),
  throw: () => { throw new Error("thrown on request"); },
  zero: () => process.exit(0),
  heap: () => { for (;;) hold.push(new Array(1e6).fill(hold.length)); },
  block: () => { for (;;); },
};
for (const [name, die] of Object.entries(ways)) {
  routes[`/${name}`] = () => void setImmediate(() => { console.error(`dying by ${name}`); die(); });
}
if (process.env.BROKEN && existsSync(process.env.BROKEN)) { console.error("broken release"); process.exit(9); }
