/** The limits of workers, as they were typed. */
import type { LimitChanges, Limits } from "../../protocol/types.js";

interface Chosen<T> {
  /** Null for none. */
  readonly "hang-timeout": number | null | T;
  readonly "max-memory": number | null | T;
}

export function buildLimits(chosen: Chosen<never>): { limits?: Limits } {
  const { "hang-timeout": hang, "max-memory": memory } = chosen;
  const limits = { ...(hang !== null && { hang }), ...(memory !== null && { memory }) };
  return Object.keys(limits).length > 0 ? { limits } : {};
}

/** What a deploy changes: nothing when neither was given. */
export function buildLimitChanges(chosen: Chosen<undefined>): { limits?: LimitChanges } {
  const { "hang-timeout": hang, "max-memory": memory } = chosen;
  const limits = { ...(hang !== undefined && { hang }), ...(memory !== undefined && { memory }) };
  return Object.keys(limits).length > 0 ? { limits } : {};
}
