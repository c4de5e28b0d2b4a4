/** Cuts a stream of bytes into the bodies of messages: `Content-Length` headers in, JSON texts out. */

/** After it nobody knows where the next message begins. */
export class FrameError extends Error {}

export interface Decoder {
  push(chunk: Buffer): void;
  /** The next body that is complete, valid until the next `push`. Throws a FrameError. */
  next(): Buffer | undefined;
  /** True: a message has begun and is not complete. */
  readonly partial: boolean;
  /** Bytes that it keeps. */
  readonly held: number;
}

export function createDecoder(limits: { readonly header: number; readonly message: number }): Decoder {
  let store: Buffer = Buffer.alloc(0);
  let start = 0;
  let end = 0;
  /** Known once the header is complete. */
  let length: number | undefined;

  const readHeader = (): number | undefined => {
    const usual = usualHeader.exec(store.toString("latin1", start, Math.min(end, start + longestUsual)));
    if (usual) return begin(Number(usual[1]), usual[0].length);
    const head = store.subarray(start, Math.min(end, start + limits.header));
    const size = head.indexOf("\r\n\r\n");
    if (size < 0 && head.length >= limits.header) {
      throw new FrameError(`a header is at most ${limits.header} bytes long`);
    }
    if (size < 0) return checkBeginning(head);
    return begin(parseHeader(head.toString("latin1", 0, size)), size + 4);
  };
  const begin = (declared: number, header: number): number => {
    if (declared > limits.message) {
      throw new FrameError(
        `a message is at most ${limits.message} bytes long, this one would be ${declared}`,
      );
    }
    start += header;
    return declared;
  };

  return {
    push(chunk) {
      const size = end - start;
      if (size === 0) {
        store = chunk;
        start = 0;
        end = chunk.length;
        return;
      }
      if (store.length - end < chunk.length) {
        // Doubled, so that a body that comes byte by byte costs neither an object per byte nor a copy per byte.
        const larger = Buffer.allocUnsafeSlow(2 * (size + chunk.length));
        store.copy(larger, 0, start, end);
        store = larger;
        start = 0;
        end = size;
      }
      end += chunk.copy(store, end);
    },
    next() {
      if (end === start && length === undefined) return undefined;
      length ??= readHeader();
      if (length === undefined || end - start < length) return undefined;
      const body = store.subarray(start, start + length);
      start += length;
      length = undefined;
      return body;
    },
    get held() {
      return end === start ? 0 : store.length;
    },
    get partial() {
      return end > start || length !== undefined;
    },
  };
}

// What nearly everybody sends is read without a search.
const usualHeader = /^Content-Length: (\d{1,15})\r\n\r\n/;
const longestUsual = 40;

// HTTP or TLS on the wrong socket is told at once instead of being waited for until its header is too long.
function checkBeginning(head: Buffer): undefined {
  if (!/^[A-Za-z-]*(:|$)/.test(head.toString("latin1", 0, 64))) throw badHeader();
}

function parseHeader(text: string): number {
  let length: number | undefined;
  for (const line of text.split("\r\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(colon, 0));
    if (!/^[A-Za-z-]+$/.test(name)) throw badHeader();
    if (name.toLowerCase() !== "content-length") continue;
    const value = line.slice(colon + 1).trim();
    if (length !== undefined || !/^\d{1,15}$/.test(value)) throw badHeader();
    length = Number(value);
  }
  if (length === undefined) throw badHeader();
  return length;
}

function badHeader(): FrameError {
  return new FrameError(
    "expected the header 'Content-Length: <bytes>', an empty line, then that many bytes of JSON",
  );
}
