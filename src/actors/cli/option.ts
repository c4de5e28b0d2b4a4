/** One option of a command. */
import type { ValueType } from "./value-types.js";

export interface Option<T = unknown> {
  readonly type: ValueType<T>;
  /** What is read when the option is not given. */
  readonly default?: string;
  /** Shown in place of a default when nothing is read then. */
  readonly unset?: string;
  readonly help: string;
}
