/** naught as if it had been installed somewhere: with koffi beside it, or certainly without. */
import { cpSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { program } from "./naught.js";
import { root } from "./servers.js";

/** Returns the path of its program. */
export function installNaught(folder: string, { koffi }: { readonly koffi: boolean }): string {
  cpSync(dirname(program), folder, { recursive: true });
  for (const name of koffi ? ["koffi", "@koromix"] : []) {
    const from = realpathSync(join(root, "node_modules", name));
    cpSync(from, join(folder, "node_modules", name), { recursive: true, dereference: true });
  }
  return join(folder, "naught.cjs");
}

/** Why something cannot be tested here, unless it is CI, which has to be able to. */
export function unlessCi(obstacle: string | false): string | false {
  return process.env.CI ? false : obstacle;
}
