/** Batches, as JSON-RPC 2.0 § 6 has them: an array of messages, whose answers go back together when the last is there. */
import { admit, refuse } from "./admission.js";
import { isRequest, type Response } from "./message.js";
import type { Take } from "./transport.js";

/** Hands each message of a batch to `take`, and all answers together to `send`. */
export function takeBatch(
  elements: readonly unknown[],
  most: number,
  take: Take,
  cost: number,
  send: (answers: Response | readonly Response[]) => void,
): void {
  if (elements.length === 0) return send(refuse(null, "a batch has at least one message").refusal);
  if (elements.length > most) return send(refuse(null, `a batch has at most ${most} messages`).refusal);
  const answers: Response[] = [];
  const each = cost / elements.length;
  // One more than there are calls, until all have been handed over: some are answered on the spot.
  let open = 1;
  const close = (): void => {
    open -= 1;
    if (open === 0 && answers.length > 0) send(answers);
  };
  for (const element of elements) {
    const admission = admit(element);
    if ("refusal" in admission) answers.push(admission.refusal);
    else if (isRequest(admission.message)) {
      open += 1;
      take(
        admission.message,
        (answer) => {
          answers.push(answer);
          close();
        },
        each,
      );
    } else take(admission.message, undefined, each);
  }
  close();
}
