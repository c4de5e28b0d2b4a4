/** What the daemon's program is on disk: runs the daemon's code. */
import { run } from "./compiled.js";

run({ module, require, name: "daemon", use: require.main === module ? "own" : "foreground", keep: 3_000 });
