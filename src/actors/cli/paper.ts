/** The command's stdout for as much as there may be of a log: printed as fast as it is taken, until nobody takes it. */
import { once } from "node:events";

export interface Paper {
  /** `title` is printed when the bytes before had another one. */
  print(bytes: Buffer, title: string | undefined): Promise<void>;
  readonly isGone: boolean;
  /** Resolves when nobody reads any more, as when `head` has enough. */
  readonly gone: Promise<undefined>;
}

export function openPaper(stream: NodeJS.WriteStream): Paper {
  let last: string | undefined;
  let isGone = false;
  const gone = new Promise<undefined>((resolve) => {
    const go = (): void => {
      isGone = true;
      resolve(undefined);
    };
    stream.on("error", go).on("close", go);
  });
  return {
    gone,
    get isGone() {
      return isGone;
    },
    async print(bytes, title) {
      if (isGone) return;
      const isNew = title !== undefined && title !== last;
      const heading = isNew ? `${last === undefined ? "" : "\n"}==> ${title} <==\n` : "";
      last = title;
      if (heading !== "") stream.write(heading);
      if (!stream.write(bytes)) await Promise.race([once(stream, "drain").catch(() => {}), gone]);
    },
  };
}
