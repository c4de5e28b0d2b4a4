/** What the user typed cannot be carried out: told in one line, exit status 2, and nothing was changed. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
