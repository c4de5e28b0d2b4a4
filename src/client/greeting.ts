/** What a login shell prints before the program that was asked for speaks: a greeting of the user's, no protocol. */
import { Transform } from "node:stream";

const beginning = "Content-Length:";

/** More than this is no greeting; whoever reads the protocol shall say so. */
const most = 64 * 1024;

/** Passes on what comes from the first header of a message on. */
export function skipGreeting(): Transform {
  let kept: Buffer | undefined = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      if (!kept) return callback(null, chunk);
      kept = Buffer.concat([kept, chunk]);
      const at = kept.indexOf(beginning);
      if (at < 0 && kept.length < most) return callback();
      const rest = kept.subarray(Math.max(at, 0));
      kept = undefined;
      callback(null, rest);
    },
  });
}
