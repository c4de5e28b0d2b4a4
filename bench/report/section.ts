/** What one scenario has to tell, and what it is told before it begins. */
import type { Contender } from "../contenders/contender.js";
import type { Peers } from "../setting/install.js";
import type { Table } from "./table.js";

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What was done, so that somebody could do it again. */
  readonly notes: readonly string[];
  readonly tables: readonly Table[];
}

export interface Plan {
  readonly quick: boolean;
  /** Also what takes hours. */
  readonly full: boolean;
  /** The rounds that there is time for: so many, but no new one that would likely end after so many seconds. */
  rounds(most: number, seconds: number): Iterable<number>;
  readonly contenders: readonly Contender[];
  readonly peers: Peers;
  say(text: string): void;
  /** One contender that fails, or hangs, must not end the run: what went wrong is told in the results. */
  attempt(what: string, work: () => Promise<void>, seconds?: number): Promise<void>;
}

export type Scenario = (plan: Plan) => Promise<Section>;
