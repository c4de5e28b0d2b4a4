/** What happened, one after the other, for whoever asks next: the part of a client that is iterated. */

/** More than this are kept for nobody who is so far behind. */
const most = 10_000;

export class EventQueue<T> implements AsyncIterableIterator<T> {
  readonly #onEnd: () => void;
  #waiting: { resolve(result: IteratorResult<T>): void; reject(error: Error): void }[] = [];
  #items: T[] = [];
  #ended = false;
  #error: Error | undefined;

  /** `onEnd` is called once, whoever ends it. */
  constructor(onEnd: () => void) {
    this.#onEnd = onEnd;
  }

  push(item: T): void {
    if (this.#ended) return;
    const next = this.#waiting.shift();
    if (next) return next.resolve({ done: false, value: item });
    if (this.#items.length >= most) this.#items.shift();
    this.#items.push(item);
  }

  /** What was pushed before is still handed out. */
  end(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    const [first, ...others] = this.#waiting.splice(0);
    // Told once; after that it is simply over.
    if (!first) this.#error = error;
    else if (error) first.reject(error);
    else first.resolve({ done: true, value: undefined });
    for (const { resolve } of others) resolve({ done: true, value: undefined });
    this.#onEnd();
  }

  next(): Promise<IteratorResult<T>> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    const error = this.#error;
    this.#error = undefined;
    if (error) return Promise.reject(error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** The loop that reads was left. */
  return(): Promise<IteratorResult<T>> {
    this.#items = [];
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
