/** What a whole server promises, whoever dies, each promise with the name under which the simulated tree reports it broken. */
import { type Hold, holdTo } from "./broken-promise.js";

export const promises = {
  oneDaemon: "at rest one daemon holds the lock, and is the one that can be reached",
  oneMaster: "at rest one master serves, and is the daemon's",
  oneEach: "at rest one live worker per slot, online and of the generation that serves",
  noOrphan: "at rest no process is left over",
  noStray: "at rest the daemon knows of no worker that is not there, and of no other one",
  alive: "a server that nobody has stopped serves",
  over: "a stop ends every process, and leaves no file",
  once: "a call is answered at most once",
  answered: "every call is answered, or told Lost",
  numbers: "events are numbered without gaps, and no number is given twice, whichever daemon gives it",
  twice: "nothing is told twice under two numbers",
  watching: "whoever watches has heard everything in the end",
  capacity: "nobody who accepts is asked to go before others accept",
  patient: "only who has been silent for long enough is given up",
  bounded: "who is stopped is given up in time",
  remembered: "what serves is what the last deploy that was done has brought, and nothing that failed",
  wall: "the time of day decides nothing",
  known: "the next daemon would find everything it needs",
} as const;

export type PromiseName = keyof typeof promises;

export const hold: Hold<PromiseName> = holdTo(promises);
