/** Batches, as JSON-RPC 2.0 § 6 has them: an array of messages, whose answers go back together when the last is there. */
import type { Message } from "vscode-jsonrpc/node";
import { admit, refuse } from "./admission.js";

export interface Batches {
  /** The messages that are to be handled. What can be answered at once is handed to `send`. */
  open(elements: readonly unknown[], send: (answers: readonly Message[]) => void): Message[];
  /** What is to be sent now that `message` is: itself, a whole batch, or nothing yet. */
  collect(message: Message): Message | readonly Message[] | undefined;
}

interface Batch {
  readonly answers: Message[];
  open: number;
}

interface Owed {
  readonly batch: Batch;
  /** The caller's own name for the call. */
  readonly id: unknown;
}

export function createBatches(): Batches {
  // Two batches may have the same ids, so each call is given one by which its answer finds its batch.
  const owed = new Map<string, Owed>();
  let last = 0;

  const enrol = (message: Message, batch: Batch): Message => {
    const { id } = message as { id?: unknown };
    if (!("method" in message) || id === undefined) return message;
    last += 1;
    const name = `\u0000batch ${last}`;
    owed.set(name, { batch, id });
    batch.open += 1;
    return { ...message, id: name } as Message;
  };

  return {
    open(elements, send) {
      const batch: Batch = { answers: [], open: 0 };
      const messages = elements.flatMap((element) => {
        const admission = admit(element);
        if ("message" in admission) return [enrol(admission.message, batch)];
        batch.answers.push(admission.refusal);
        return [];
      });
      if (batch.open === 0 && batch.answers.length > 0) send(batch.answers);
      return messages;
    },
    collect(message) {
      const { id } = message as { id?: unknown };
      const found = "method" in message || typeof id !== "string" ? undefined : owed.get(id);
      if (!found || typeof id !== "string") return message;
      owed.delete(id);
      const { batch } = found;
      batch.answers.push({ ...message, id: found.id } as Message);
      batch.open -= 1;
      return batch.open === 0 ? batch.answers : undefined;
    },
  };
}

/** Why a batch is not taken at all. */
export function checkBatch(
  elements: readonly unknown[],
  most: number,
): ReturnType<typeof refuse> | undefined {
  if (elements.length === 0) return refuse(null, "a batch has at least one message");
  if (elements.length > most) return refuse(null, `a batch has at most ${most} messages`);
  return undefined;
}
