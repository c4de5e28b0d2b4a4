/** A server that says `online` only while the test's directory has a file called gate. */
import { rmSync } from "node:fs";
import type { Naught } from "./naught.js";
import { server } from "./servers.js";

export interface Gate {
  readonly script: string;
  open(): void;
  shut(): void;
}

/** The gate is open at first. */
export function makeGate(naught: Naught, name = "gate"): Gate {
  const open = () => void naught.write(name, "");
  const code = `const { existsSync } = require("node:fs");
    const wait = setInterval(() => {
      if (!existsSync(${JSON.stringify(naught.path(name))})) return;
      clearInterval(wait);
      require(${JSON.stringify(server("http.cjs"))});
    }, 10);`;
  open();
  return { script: naught.write("gated.cjs", code), open, shut: () => rmSync(naught.path(name)) };
}
