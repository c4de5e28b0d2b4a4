// What the servers in the drain's tests have in common: they tell how they stand whenever they are asked.
exports.serve = (server) => {
  const where = process.env.SOCKET ? { path: process.env.SOCKET } : { port: 0, host: "127.0.0.1" };
  const look = () => process.send({ listening: server.listening, address: server.address() });
  server.listen(where, look);
  process.on("message", (message) => {
    if (message === "look") look();
    if (message === "close") server.close((error) => process.send({ closed: error?.code ?? "well" }));
    if (message === "listen") server.listen(where, look);
  });
};
