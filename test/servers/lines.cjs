// Prints numbered lines on both streams, at boot and then for every request.
const { exitOnShutdown, routes } = require("./http-core.cjs");
exitOnShutdown();
let count = 0;
const print = () => {
  count += 1;
  console.log(`out ${process.pid} ${count}`);
  console.error(`err ${process.pid} ${count}`);
};
print();
routes["/print"] = () => void print();
