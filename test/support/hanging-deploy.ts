/** A deploy in flight that stays there: its new workers never say that they are online. */
import type { Naught } from "./naught.js";
import type { Running } from "./running.js";
import { server } from "./servers.js";

export async function hangingDeploy(naught: Naught): Promise<Running> {
  const deploy = naught.spawn(["deploy", "--script", server("never-online.cjs")]);
  await deploy.said("stderr", /SpawnNew\. booting: 1/);
  return deploy;
}
