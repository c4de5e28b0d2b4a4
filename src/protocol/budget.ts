/** What all connections of a daemon hold together: owns the sum, and chooses who has to go when it is too much. */

/** One connection's part. */
export interface Share {
  /** Bytes, as of now. */
  measure(): number;
  drop(why: string): void;
}

export interface Budget {
  /** Returns what is to be called when the part is over. */
  join(share: Share): () => void;
  /** `change` is by how much a part has grown since it was said last; it may be an estimate. */
  report(change: number): void;
}

/** Bounds nothing. */
export const noBudget: Budget = { join: () => () => {}, report() {} };

export function createBudget(most: number): Budget {
  const shares = new Set<Share>();
  let estimate = 0;

  const drop = (): void => {
    const parts = [...shares].map((share) => ({ share, bytes: share.measure() }));
    estimate = parts.reduce((sum, { bytes }) => sum + bytes, 0);
    if (estimate <= most) return;
    const largest = parts.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    shares.delete(largest.share);
    estimate -= largest.bytes;
    largest.share.drop(
      `the daemon holds at most ${most} bytes for all its connections, and this one has the largest part`,
    );
  };
  return {
    join(share) {
      shares.add(share);
      return () => shares.delete(share);
    },
    report(change) {
      estimate += change;
      // Output that was read in the meantime has not been reported.
      if (estimate > most) drop();
    },
  };
}
