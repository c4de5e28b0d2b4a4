/** As much of HTTP/1.1 as a client needs to know whether it got a whole response. */

export interface Response {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** Bytes of the buffer that belong to this response. */
  readonly length: number;
}

/**
 * The response at the beginning of what has arrived; `undefined` when it is not complete yet. `ended`: nothing
 * more will arrive. Throws when it is no HTTP.
 */
export function parseResponse(bytes: Buffer, ended: boolean): Response | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first = "", ...rest] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no status line: ${first.slice(0, 80)}`);
  const headers = new Map(rest.map(parseHeader));
  const start = end + 4;
  if (status >= 100 && status < 200) return skip(bytes, start, ended);
  const body = readBody(bytes, start, status, headers, ended);
  return body && { status, headers, body: body.text, length: body.end };
}

interface Body {
  readonly text: string;
  readonly end: number;
}

/** An interim response comes before the one that counts. */
function skip(bytes: Buffer, start: number, ended: boolean): Response | undefined {
  const next = parseResponse(bytes.subarray(start), ended);
  return next && { ...next, length: next.length + start };
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(":");
  if (colon < 1) throw new Error(`no header: ${text.slice(0, 80)}`);
  return [text.slice(0, colon).toLowerCase(), text.slice(colon + 1).trim()];
}

function readBody(
  bytes: Buffer,
  start: number,
  status: number,
  headers: ReadonlyMap<string, string>,
  ended: boolean,
): Body | undefined {
  if (status === 204 || status === 304) return { text: "", end: start };
  if (/chunked$/i.test(headers.get("transfer-encoding") ?? "")) return readChunks(bytes, start);
  const length = headers.get("content-length");
  if (length === undefined)
    return ended ? { text: bytes.toString("utf8", start), end: bytes.length } : undefined;
  if (!/^\d+$/.test(length)) throw new Error(`content-length: ${length}`);
  const end = start + Number(length);
  return bytes.length < end ? undefined : { text: bytes.toString("utf8", start, end), end };
}

function readChunks(bytes: Buffer, start: number): Body | undefined {
  const parts: Buffer[] = [];
  for (let at = start; ; ) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return undefined;
    const size = /^([0-9a-f]+)\s*(;.*)?$/i.exec(bytes.toString("latin1", at, lineEnd))?.[1];
    if (size === undefined) throw new Error("no chunk size");
    const from = lineEnd + 2;
    const to = from + Number.parseInt(size, 16);
    if (to === from) return readTrailers(bytes, lineEnd, parts);
    if (bytes.length < to + 2) return undefined;
    if (bytes.toString("latin1", to, to + 2) !== "\r\n") throw new Error("a chunk is longer than it says");
    parts.push(bytes.subarray(from, to));
    at = to + 2;
  }
}

/** `lineEnd` is that of the last, empty chunk: trailers or none, and then an empty line. */
function readTrailers(bytes: Buffer, lineEnd: number, parts: readonly Buffer[]): Body | undefined {
  const end = bytes.indexOf("\r\n\r\n", lineEnd);
  return end < 0 ? undefined : { text: Buffer.concat(parts).toString("utf8"), end: end + 4 };
}
