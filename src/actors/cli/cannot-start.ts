/** A daemon cannot be started, for a reason that was found before there was one to ask. */
export class CannotStart extends Error {
  override readonly name = "CannotStart";
}
