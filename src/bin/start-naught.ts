#!/usr/bin/env node
/** What `naught` is on disk: runs the command line's code. */
import { run } from "./compiled.js";

const [, , command = ""] = process.argv;
const own = [
  "start",
  "stop",
  "status",
  "deploy",
  "deploy-abort",
  "logs",
  "reopen-logs",
  "bridge",
  "version",
  "help",
];
run({ module, require, name: "naught", use: own.includes(command) ? command : "none", keep: "atExit" });
