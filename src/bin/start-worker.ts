/** What the workers' preload is on disk: runs the worker's code. */
import { run } from "./compiled.js";

// One worker does it for all.
const keep = process.env.NAUGHT_WORKER === "0" ? 3_000 : undefined;
run({ module, require, name: "worker", use: "own", keep });
