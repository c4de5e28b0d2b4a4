/**
 * The succession of daemons, as a master sees it: one dies, and another one is started in its place, again and again
 * after longer pauses, until there will be none. What has to arrive waits until there is one. Pure.
 */
import type { HostUnlisten, PoolEvent, Serving } from "../../protocol/types.js";

/** Milliseconds before each try: for ten minutes, in which what stands in the way may go. */
const pauses = [0, 100, 250, 500, 1000, 2000, ...Array.from({ length: 120 }, () => 5000)];
/** So often another daemon may be found in the place of the one that has died. */
const mostRivals = 5;

export interface Succession {
  readonly hasDaemon: boolean;
  /** There will be no other daemon. */
  readonly isOrphan: boolean;
  /** To start a daemon, since there was one. */
  readonly tries: number;
  /** How many of them have found another daemon in that place. */
  readonly rivals: number;
  /** How many events the present daemon was sent. */
  readonly sent: number;
  /** Each with its number among those. */
  readonly unheard: readonly { readonly number: number; readonly event: PoolEvent }[];
  readonly unlistened: readonly HostUnlisten[];
  readonly serving: Serving | null;
}

/** `isReplaceable`: a daemon would be followed by another one, if it died. */
export type Fact =
  /** What the daemon is to be told. */
  | { readonly type: "event"; readonly event: PoolEvent; readonly isReplaceable: boolean }
  | { readonly type: "serving"; readonly serving: Serving }
  | { readonly type: "unlisten"; readonly wish: HostUnlisten }
  /** The daemon has dealt with so many events. */
  | { readonly type: "heard"; readonly count: number }
  /** It is gone, or could not be started. */
  | { readonly type: "lost" | "failed"; readonly isReplaceable: boolean; readonly isRival?: boolean }
  /** The next one is there. */
  | { readonly type: "found" };

export type Effect =
  /** For the daemon. */
  | { readonly type: "event"; readonly event: PoolEvent }
  | { readonly type: "serving"; readonly serving: Serving }
  | { readonly type: "unlisten"; readonly wish: HostUnlisten }
  /** It has to be told how things stand. */
  | { readonly type: "introduce" }
  /** After so many milliseconds. */
  | { readonly type: "revive"; readonly pause: number }
  | { readonly type: "orphaned" };

export const firstSuccession: Succession = {
  hasDaemon: true,
  isOrphan: false,
  tries: 0,
  rivals: 0,
  sent: 0,
  unheard: [],
  unlistened: [],
  serving: null,
};

export function succeed(
  state: Succession,
  fact: Fact,
): { readonly state: Succession; readonly effects: readonly Effect[] } {
  switch (fact.type) {
    case "event": {
      const { event, isReplaceable } = fact;
      const sent = state.sent + 1;
      const unheard = isReplaceable ? [...state.unheard, { number: sent, event }] : state.unheard;
      return tell({ ...state, sent, unheard }, { type: "event", event });
    }
    case "serving":
      return tell({ ...state, serving: fact.serving }, fact);
    case "unlisten":
      return state.hasDaemon
        ? tell(state, fact)
        : { state: { ...state, unlistened: [...state.unlistened, fact.wish] }, effects: [] };
    case "heard":
      return {
        state: { ...state, unheard: state.unheard.filter(({ number }) => number > fact.count) },
        effects: [],
      };
    case "lost":
      return tryAgain({ ...state, hasDaemon: false, tries: 0, rivals: 0 }, fact.isReplaceable);
    case "failed":
      return tryAgain(
        { ...state, tries: state.tries + 1, rivals: state.rivals + (fact.isRival ? 1 : 0) },
        fact.isReplaceable,
      );
    case "found":
      return introduce(state);
  }
}

function tell(state: Succession, effect: Effect): ReturnType<typeof succeed> {
  return { state, effects: state.hasDaemon ? [effect] : [] };
}

function tryAgain(state: Succession, isReplaceable: boolean): ReturnType<typeof succeed> {
  const pause = pauses[state.tries];
  if (isReplaceable && pause !== undefined && state.rivals < mostRivals)
    return { state, effects: [{ type: "revive", pause }] };
  return { state: { ...state, isOrphan: true }, effects: [{ type: "orphaned" }] };
}

/** The next daemon has dealt with nothing yet. */
function introduce(state: Succession): ReturnType<typeof succeed> {
  const unheard = state.unheard.map(({ event }, index) => ({ number: index + 1, event }));
  const { serving, unlistened } = state;
  return {
    state: { ...state, hasDaemon: true, tries: 0, sent: unheard.length, unheard, unlistened: [] },
    effects: [
      ...unheard.map(({ event }) => ({ type: "event", event }) as const),
      ...(serving ? [{ type: "serving", serving } as const] : []),
      ...unlistened.map((wish) => ({ type: "unlisten", wish }) as const),
      { type: "introduce" },
    ],
  };
}
