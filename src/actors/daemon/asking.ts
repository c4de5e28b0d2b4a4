/** Calls of the machine to the master, and what becomes of them. */
import type { Client } from "../../protocol/contract.js";
import { NaughtError } from "../../protocol/errors.js";
import type { Master } from "../../protocol/master.js";
import { toRefusal } from "./refusal.js";
import type { Answer, MasterAsk, Message } from "./state.js";

export interface Asking {
  ask(call: number, ask: MasterAsk): void;
  /** Tells the machine how the call was answered. */
  pass(call: number, answer: Promise<Answer>): void;
}

/** `postInTurn`: behind what was heard before. */
export function createAsking(
  post: (message: Message) => void,
  postInTurn: (message: Message) => void,
  findMaster: () => Client<typeof Master> | undefined,
): Asking {
  function ask(call: number, { method, params }: MasterAsk): void {
    const client = findMaster();
    if (!client) return post({ type: "masterRefused", call, refusal: { error: "MasterLost" } });
    // A union of methods cannot be called with a union of parameters without saying which belongs to which.
    const send = client[method] as (input: typeof params) => Promise<Answer>;
    pass(call, send(params));
  }

  function pass(call: number, answer: Promise<Answer>): void {
    answer.then(
      (result) => postInTurn({ type: "masterAnswered", call, result }),
      (error: unknown) => {
        // That the master is gone is told by its exit.
        if (!(error instanceof NaughtError && error.kind === "Lost")) {
          postInTurn({ type: "masterRefused", call, refusal: toRefusal(error) });
        }
      },
    );
  }

  return { ask, pass };
}
