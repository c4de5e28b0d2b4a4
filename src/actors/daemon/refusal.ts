/** Errors as the machine knows them: plain data. */
import { NaughtError } from "../../protocol/errors.js";
import { explain } from "./launch.js";
import type { Refusal } from "./state.js";

export function attempt(action: () => void, refuse: (refusal: Refusal) => void): void {
  try {
    action();
  } catch (error) {
    refuse(toRefusal(error));
  }
}

export function toRefusal(error: unknown): Refusal {
  if (error instanceof NaughtError) return { error: error.kind, message: error.message, data: error.data };
  return { error: "CannotWrite", message: explain(error) };
}
