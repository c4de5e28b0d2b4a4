/** How a simulation reports that a promise was broken. */

export class BrokenPromise extends Error {
  override readonly name = "BrokenPromise";
  readonly promise: string;

  constructor(promise: string, words: string, detail: string) {
    super(`${words}: ${detail}`);
    this.promise = promise;
  }
}

/** `detail` is a function because millions of promises are kept and nobody reads about those. */
export type Hold<Name extends string> = (kept: boolean, promise: Name, detail: () => string) => asserts kept;

export function holdTo<Name extends string>(promises: Readonly<Record<Name, string>>): Hold<Name> {
  return (kept, promise, detail) => {
    if (!kept) throw new BrokenPromise(promise, promises[promise], detail());
  };
}
