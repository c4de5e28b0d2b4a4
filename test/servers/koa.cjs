// Koa.
const Koa = require("koa");
const { address, answer } = require("./answer.cjs");
const app = new Koa();
app.use(async (context) => {
  context.body = await answer(context.url);
});
app.listen(address, () => process.send?.("online"));
process.on("message", (message) => message === "shutdown" && process.exit(0));
