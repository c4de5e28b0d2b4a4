// TypeScript, through --node-args.
const { createServer } = require("node:http");
const { address, answer } = require("./answer.cjs");
interface Told { readonly message: string }
const tell = (told: Told): void => void process.send?.(told.message);
const server = createServer(async (request: { url: string }, response: { end(body: string): void }) => {
  response.end(JSON.stringify(await answer(request.url)));
});
server.listen(address, () => tell({ message: "online" }));
process.on("message", (message: unknown) => message === "shutdown" && process.exit(0));
