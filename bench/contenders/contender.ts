/** One of those that are measured side by side: how it runs a server with several workers, and what can be asked of it. */
import type { Command, Stage } from "../setting/stage.js";

export const names = ["naught", "cluster", "cluster-rr", "naught 1.x", "pm2", "node"] as const;
export type Name = (typeof names)[number];

export interface App {
  readonly script: string;
  readonly workers: number;
  /** Where stdout goes; left out, wherever the contender puts it. */
  readonly stdout?: string;
  /** All archives are kept. */
  readonly maxLogSize?: number;
  /** Further options of `naught start`. */
  readonly options?: readonly string[];
}

export interface Supervisor {
  /** A module is what helps the daemon of pm2. */
  readonly role: "daemon" | "master" | "module";
  readonly pid: number;
}

export interface Service {
  /** From the start command, or the start of the process, until every worker was ready. */
  readonly startMs: number;
  /** Replaces every worker; resolves with the milliseconds it took when the last old one is gone. */
  deploy(): Promise<number>;
  /** The command that tells its status. */
  readonly status: Command | undefined;
  readonly supervisors: readonly Supervisor[];
  workers(): number[];
}

export interface Contender {
  readonly name: Name;
  start(stage: Stage, app: App): Promise<Service>;
}
