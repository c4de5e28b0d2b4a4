// The app's own child: `online` is a word to its parent, not to naught.
process.send("online");
process.send({ argv: process.argv.slice(2), execArgv: process.execArgv }, () => process.disconnect());
