/** Collects garbage when there is time for it: what a deploy leaves behind would lie there until the next ones. */

/** Milliseconds of rest after which it is time. */
const rest = 1_500;

/** V8 lets go of the code of functions that have not run for some collections: most of what ran at the start. */
const collections = 8;
const between = 100;

/** The returned function says that something has come to rest. Without `collect`, which takes a flag, nothing happens. */
export function createTidier(collect: (() => void) | undefined = globalThis.gc): () => void {
  let timer: NodeJS.Timeout | undefined;
  if (!collect) return () => {};
  const tidy = (left: number): void => {
    collect();
    if (left > 1) timer = setTimeout(tidy, between, left - 1).unref();
  };
  return () => {
    clearTimeout(timer);
    timer = setTimeout(tidy, rest, collections).unref();
  };
}
