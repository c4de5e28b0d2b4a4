// The floor: what a deploy, a crash and a listening socket cost with node:cluster alone.
const cluster = require("node:cluster");
const [policy, count, script] = process.argv.slice(2);
cluster.schedulingPolicy = policy === "rr" ? cluster.SCHED_RR : cluster.SCHED_NONE;
cluster.setupPrimary({ exec: script });
let serving = [];

const boot = () =>
  new Promise((resolve) => {
    const worker = cluster.fork();
    // Sending to a worker whose channel is closing raises EPIPE here.
    worker.on("error", () => {});
    worker.on("message", (message) => message === "online" && resolve(worker));
  });
const bootAll = () => Promise.all(Array.from({ length: Number(count) }, boot));
const retire = (worker) =>
  new Promise((resolve) => {
    worker.on("exit", resolve);
    worker.send("shutdown", () => {});
  });
cluster.on("exit", async (worker, code) => {
  if (serving.includes(worker)) serving[serving.indexOf(worker)] = await boot();
  else if (code === 1) await boot();
});
process.on("message", async () => {
  const old = serving;
  serving = [];
  const next = await bootAll();
  serving = next;
  await Promise.all(old.map(retire));
  process.send("deployed");
});
bootAll().then((workers) => {
  serving = workers;
  process.send("ready");
});
