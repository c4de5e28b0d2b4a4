/** Collects garbage when there is time for it: what a deploy leaves behind would lie there until the next ones. */

/** Milliseconds of rest after which it is time. */
const rest = 1_500;

/** The returned function says that something has come to rest. Without `collect`, which takes a flag, nothing happens. */
export function createTidier(collect: (() => void) | undefined = globalThis.gc): () => void {
  let timer: NodeJS.Timeout | undefined;
  if (!collect) return () => {};
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => collect(), rest).unref();
  };
}
