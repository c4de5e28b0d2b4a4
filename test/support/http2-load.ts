/**
 * Load on an http2 server: loops of requests that share sessions and never try anything again. A session on which the
 * server said GOAWAY is used for no further request; a stream that was refused is counted apart, because its client
 * knows that it was not processed. So is one that has never left this process: when GOAWAY arrives, nghttp2 drops the
 * requests that it has in its queue, although the server would still serve them.
 */
import { setMaxListeners } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { setTimeout as delay } from "node:timers/promises";

export interface Http2Shape {
  readonly url: string;
  readonly sessions: number;
  /** Each session has so many loops at a time, */
  readonly loops: number;
  /** and so many whose responses take a second. */
  readonly slow: number;
  /** The pause between two requests of a loop is at most this. */
  readonly pauseMs: number;
}

export interface Http2Report {
  readonly ok: number;
  readonly refused: number;
  readonly unsent: number;
  /** By what happened. */
  readonly failures: Readonly<Record<string, number>>;
  readonly sessions: number;
  readonly versions: readonly string[];
}

export interface Http2Load {
  stop(): Promise<Http2Report>;
}

type Outcome = { readonly version: string } | { readonly failure: string } | "refused" | "unsent";

export function startHttp2Load(shape: Http2Shape): Http2Load {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal);
  const failures: Record<string, number> = {};
  const versions = new Set<string>();
  let ok = 0;
  const safe = { refused: 0, unsent: 0 };
  let sessions = 0;

  function enter(outcome: Outcome): void {
    if (outcome === "refused" || outcome === "unsent") safe[outcome] += 1;
    else if ("failure" in outcome) failures[outcome.failure] = (failures[outcome.failure] ?? 0) + 1;
    else {
      ok += 1;
      versions.add(outcome.version);
    }
  }

  async function runSession(index: number): Promise<void> {
    let current: ClientHttp2Session | undefined;
    const session = () => {
      if (current === undefined || current.closed || current.destroyed) {
        sessions += 1;
        current = connect(shape.url, { rejectUnauthorized: false });
        // What this means for its requests, they are told themselves.
        current.setMaxListeners(0).on("error", () => undefined);
      }
      return current;
    };
    const loops = [...Array<boolean>(shape.loops).fill(false), ...Array<boolean>(shape.slow).fill(true)];
    await Promise.all(
      loops.map(async (slow, loop) => {
        for (let count = 0; !stopping.signal.aborted; count += 1) {
          enter(await ask(session(), `${index}-${loop}-${count}`, slow));
          await delay(Math.random() * shape.pauseMs, undefined, { signal: stopping.signal }).catch(() => {});
        }
      }),
    );
    current?.close();
  }

  const all = Promise.all(Array.from({ length: shape.sessions }, (_, index) => runSession(index)));
  return {
    stop: async () => {
      stopping.abort();
      await all;
      return { ok, ...safe, failures, sessions, versions: [...versions] };
    },
  };
}

/** Once, whatever comes of it. */
function ask(session: ClientHttp2Session, id: string, slow: boolean): Promise<Outcome> {
  return new Promise((resolve) => {
    // As long as the last stream is the highest there can be, the server has refused nothing.
    let refusal: "refused" | "unsent" = "refused";
    const hear = (_: number, last: number) => {
      refusal = last === 2 ** 31 - 1 ? "unsent" : "refused";
    };
    session.on("goaway", hear);
    const stream = session.request({ ":path": slow ? `/slow?ms=1000&id=${id}` : `/?id=${id}` });
    let status: number | undefined;
    let text = "";
    let failure: string | undefined;
    stream.setTimeout(15_000, () => {
      failure = "timeout";
      stream.close(constants.NGHTTP2_CANCEL);
    });
    stream.setEncoding("utf8");
    stream.on("response", (headers) => {
      status = headers[":status"];
    });
    stream.on("data", (chunk: string) => {
      text += chunk;
    });
    stream.on("error", (error: NodeJS.ErrnoException) => {
      failure ??= String(error.code);
    });
    stream.on("close", () => {
      session.off("goaway", hear);
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) resolve(refusal);
      else if (failure !== undefined) resolve({ failure });
      else resolve(judge(status, text, id));
    });
  });
}

/** A body says who made it, and for which request. */
function judge(status: number | undefined, text: string, id: string): Outcome {
  if (status !== 200) return { failure: `status ${status}` };
  try {
    const body: Record<string, unknown> = JSON.parse(text);
    if (body.id === id && typeof body.version === "string") return { version: body.version };
  } catch {
    // No JSON is as wrong as the wrong JSON.
  }
  return { failure: "badBody" };
}
