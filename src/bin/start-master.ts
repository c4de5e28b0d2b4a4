/** What the master's program is on disk: runs the master's code. */
import { run } from "./compiled.js";

run({ module, require, name: "master", use: "own", keep: 3_000 });
