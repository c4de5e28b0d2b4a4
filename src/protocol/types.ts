/**
 * The vocabulary: every shape that crosses a border between two of naught's processes, or between naught
 * and a client. Types only. Fields are only ever added, and unknown ones are tolerated, because a new client
 * meets an old daemon at every upgrade.
 */

export type * from "./calls.js";
export type * from "./hops.js";
export type * from "./launch.js";
export type * from "./vocabulary.js";
