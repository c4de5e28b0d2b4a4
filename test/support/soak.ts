/** Deploys in a row, under load of every sort: what the soak does at length, and a test in short. */
import { startLoad } from "./load.js";
import type { Report, Shape } from "./load-report.js";
import type { Naught } from "./naught.js";
import { server } from "./servers.js";

/** How an application leaves when it is told to shut down. */
export const leavings = ["drains", "exits", "no handler"] as const;
export type Leaving = (typeof leavings)[number];

export interface SoakOptions {
  readonly leaving: Leaving;
  readonly deploys: number;
  readonly shape: Partial<Shape>;
  /** Is told of each deploy that is done. */
  readonly progress?: (deploy: number) => void;
}

export interface Soaked {
  readonly report: Report;
  /** How long each deploy took, in milliseconds. */
  readonly deploys: readonly number[];
}

export async function soak(
  naught: Naught,
  { leaving, deploys, shape, progress }: SoakOptions,
): Promise<Soaked> {
  const options = { env: { LEAVE: leaving }, timeout: 60_000 };
  const times: number[] = [];
  naught.write("version", "0");
  await naught.succeed(["start", "--worker-count", "2", server("soak.cjs")], options);
  const load = await startLoad(naught, shape);
  for (let deploy = 1; deploy <= deploys; deploy += 1) {
    naught.write("version", String(deploy));
    const began = performance.now();
    await naught.succeed(["deploy"], options);
    times.push(performance.now() - began);
    await load.saw(String(deploy));
    progress?.(deploy);
  }
  const report = await load.stop();
  await naught.succeed(["stop"]);
  return { report, deploys: times };
}
