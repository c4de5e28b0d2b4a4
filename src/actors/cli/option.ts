/** One option of a command. */
import type { ValueType } from "./value-types.js";

export interface Option<T = unknown> {
  readonly type: ValueType<T>;
  /** What is read when the option is not given. */
  readonly default?: string;
  /** Shown in place of a default when nothing is read then. */
  readonly unset?: string;
  /** One letter by which it may be typed, too: `n` for `-n`. */
  readonly short?: string;
  readonly help: string;
}
