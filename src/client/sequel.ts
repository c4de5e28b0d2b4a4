/** The events of a server as one who watches is told of them, whichever daemon tells: each once, and every gap. Pure. */
import type { NaughtEvent } from "../protocol/types.js";
import type { ClientEvent } from "./types.js";

/** What was heard last. */
export interface Sequel {
  readonly last: number;
  /** In which of the daemon's lives; undefined before there was any, and of a daemon that is older than lives. */
  readonly run: string | undefined;
}

interface Told {
  readonly sequel: Sequel;
  readonly events: readonly ClientEvent[];
}

/** A daemon says who it is, before it is asked for what was missed. */
export function meetDaemon(sequel: Sequel, run: string | undefined): Told {
  // Another life of the daemon counts from 1 again, and of the one before nobody knows.
  if (run === sequel.run) return { sequel, events: [] };
  return { sequel: { last: 0, run }, events: [{ name: "Gap", missed: null }] };
}

/** It has sent all that it had, up to this number. */
export function catchUp(sequel: Sequel, sequence: number): Told {
  const missed = sequence - sequel.last;
  if (missed <= 0) return { sequel, events: [] };
  return { sequel: { ...sequel, last: sequence }, events: [{ name: "Gap", missed }] };
}

export function hearEvent(sequel: Sequel, event: NaughtEvent): Told {
  // Whoever watches and has a call in flight may be told twice.
  if (event.sequence <= sequel.last) return { sequel, events: [] };
  const missed = event.sequence - sequel.last - 1;
  const gap = sequel.last > 0 && missed > 0 ? [{ name: "Gap", missed } as const] : [];
  return { sequel: { ...sequel, last: event.sequence }, events: [...gap, event] };
}
