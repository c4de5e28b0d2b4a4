// An ECMAScript module, with a top-level await, that answers in chunks.
import { createServer } from "node:http";
import { address, answer } from "./answer.cjs";
const server = createServer(async (request, response) => {
  const body = JSON.stringify(await answer(request.url));
  response.write(body.slice(0, 5));
  response.end(body.slice(5));
});
await new Promise((resolve) => server.listen(address, resolve));
process.send?.("online");
process.on("message", (message) => message === "shutdown" && process.exit(0));
