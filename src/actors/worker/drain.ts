/**
 * The drain: how the connections of a worker that leaves are let go, and when none of them has to be waited for
 * any more. Pure. A connection has a small behaviour of its own, and the drain only counts, so that a fact costs
 * the same whether there are ten connections or ten thousand.
 */

/**
 * What a connection is doing. `new`: nothing is known yet. `idle`: a client may still send a request on it.
 * `busy`: a request is being received or answered. `free`: it is nobody's to wait for, or to touch. `gone`: closed.
 */
export type Doing = "new" | "idle" | "busy" | "free" | "gone";

/** Something that became known about one connection. */
export type Fact =
  /** Every response was sent; for `patience` milliseconds the client may reckon with it. */
  | { readonly is: "quiet"; readonly patience: number }
  /** A request has arrived, or a part of one. */
  | { readonly is: "asked" }
  /** It was upgraded, or carries a stream without an end. */
  | { readonly is: "freed" }
  /** Its patience is over, and still nothing has arrived. */
  | { readonly is: "expired" }
  | { readonly is: "closed" };

/** What is to be done for a connection: it has one timer at the most. */
export type Effect =
  | { readonly do: "startTimer"; readonly ms: number }
  | { readonly do: "stopTimer" }
  | { readonly do: "close" };

/** Decides what becomes of one connection. */
export function stepConnection(doing: Doing, fact: Fact): Step<Doing, Effect> {
  if (doing === "gone") return { state: doing, effects: [] };
  switch (fact.is) {
    case "quiet":
      return { state: "idle", effects: [...leave(doing), { do: "startTimer", ms: fact.patience }] };
    case "asked":
      // Behind a stream without an end no request is answered, so it is not waited for.
      return doing === "free" ? { state: doing, effects: [] } : { state: "busy", effects: leave(doing) };
    case "freed":
      return { state: "free", effects: leave(doing) };
    case "expired":
      return doing === "idle" ? { state: "gone", effects: [{ do: "close" }] } : { state: doing, effects: [] };
    case "closed":
      return { state: "gone", effects: leave(doing) };
  }
}

/** `late`: the time for responses in flight is over. */
export interface Drain {
  readonly phase: "gathering" | "waiting" | "late" | "drained";
  readonly idle: number;
  readonly busy: number;
}

export type DrainMessage =
  | { readonly is: "moved"; readonly from: Doing; readonly to: Doing }
  /** All connections were told of; responses in flight are waited for this many milliseconds. */
  | { readonly is: "gathered"; readonly timeout: number }
  | { readonly is: "timedOut" };

export type DrainEffect =
  | { readonly do: "startTimer"; readonly ms: number }
  | { readonly do: "stopTimer" }
  /** The application may be told `shutdown`. */
  | { readonly do: "settle" };

export const gathering: Drain = { phase: "gathering", idle: 0, busy: 0 };

/** Decides whether there is anything left to wait for. */
export function step(state: Drain, message: DrainMessage): Step<Drain, DrainEffect> {
  switch (message.is) {
    case "moved":
      return settleIfDone(move(state, message.from, message.to));
    case "gathered": {
      if (state.phase !== "gathering") return { state, effects: [] };
      const waiting = settleIfDone({ ...state, phase: "waiting" });
      return waiting.state.phase === "drained"
        ? { ...waiting, effects: [{ do: "settle" }] }
        : { ...waiting, effects: [{ do: "startTimer", ms: message.timeout }] };
    }
    case "timedOut":
      return state.phase === "waiting" ? settleIfDone({ ...state, phase: "late" }) : { state, effects: [] };
  }
}

export interface Step<S, E> {
  readonly state: S;
  readonly effects: readonly E[];
}

/** Only an idle connection has a timer. */
function leave(doing: Doing): readonly Effect[] {
  return doing === "idle" ? [{ do: "stopTimer" }] : [];
}

function move(state: Drain, from: Doing, to: Doing): Drain {
  const change = (doing: Doing) => Number(to === doing) - Number(from === doing);
  return { ...state, idle: state.idle + change("idle"), busy: state.busy + change("busy") };
}

/** Idle connections are always waited for, because a request on one of them would be cut; busy ones only for so long. */
function settleIfDone(state: Drain): Step<Drain, DrainEffect> {
  switch (state.phase) {
    case "gathering":
    case "drained":
      return { state, effects: [] };
    case "waiting":
      if (state.idle + state.busy > 0) return { state, effects: [] };
      return { state: { ...state, phase: "drained" }, effects: [{ do: "stopTimer" }, { do: "settle" }] };
    case "late":
      if (state.idle > 0) return { state, effects: [] };
      return { state: { ...state, phase: "drained" }, effects: [{ do: "settle" }] };
  }
}
