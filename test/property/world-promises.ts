/** What the pool promises, each promise with the name under which the simulated world reports it broken. */
import { type Hold, holdTo } from "./broken-promise.js";

export const promises = {
  oldStay: "no old worker is asked to go before every new one is online",
  capacity: "no serving worker goes by our doing, but for a take-over or a stop",
  oneEach: "one live worker per slot, within the count",
  filled: "a vacant slot is filled at once or held back for a while",
  told: "who counts as dying was told to go, once, while alive",
  answers: "every call is answered exactly once, and in time",
  truth: "the answer tells what happened",
  noTrace: "a deploy that did not take over leaves no trace",
  counts: "counts, statuses and waitingFor equal what lives",
  launch: "a worker runs its own generation's launch",
  ids: "no worker id is used twice",
  silence: "nothing is done after the end, nothing is forked after a stop",
  end: "the end comes once, when nobody lives",
  destroyed: "a deploy that fails, times out or is aborted kills at once whom it should",
  deadline: "a timeout holds",
  spin: "forks of one slot are bounded, however often its worker dies",
  ready: "Ready is said when it is true",
  told5: "callers are told every 5 s whom they wait for",
  settles: "a fair world settles",
  patient: "nobody is retired for silence who could have answered",
  unwell: "who hangs or uses too much memory is replaced, and of the latter one at a time",
} as const;

export type PromiseName = keyof typeof promises;

export const hold: Hold<PromiseName> = holdTo(promises);
