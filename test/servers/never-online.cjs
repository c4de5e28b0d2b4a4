// Never says that it is online.
setInterval(() => undefined, 1000);
