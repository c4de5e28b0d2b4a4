/** How a run of ssh ended, in one line: the words of ssh, of the other host's shell, or of the naught there. */

/** With what `naught bridge` ends when there is no daemon, so that the far end of ssh can tell that from all else. */
export const bridgeExit = { absent: 3, unanswered: 4 } as const;

export interface SshEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What ssh itself had to say. */
  readonly log: string;
  /** What came on stderr, from over there. */
  readonly stderr: string;
}

export type SshFailure = "login" | "link" | "naught" | "absent" | "unanswered";

export interface Diagnosis {
  /** `login`: a person at a terminal might help. `link`: the network. `naught`: the program over there. */
  readonly failure: SshFailure;
  readonly why: string;
}

const ownWords: readonly [RegExp, SshFailure, string][] = [
  [/could not resolve hostname/i, "link", "there is no host of that name"],
  [
    /host identification has changed/i,
    "login",
    "its host key is not the one that is known; have a look with ssh",
  ],
  [/host key verification failed/i, "login", "its host key is not known here; connect once with ssh"],
  [/too many authentication failures|permission denied/i, "login", "it does not let this user in"],
  [/connection refused/i, "link", "nobody answers ssh there"],
  [/no route to host|network is unreachable/i, "link", "there is no way to it"],
  [/timed out|timeout, server|not responding/i, "link", "it does not answer any more"],
  [
    /remote port forwarding failed|administratively prohibited/i,
    "link",
    "its ssh server does not allow this",
  ],
  [/connection (closed|reset)|closed by|broken pipe|disconnect/i, "link", "the connection broke"],
];

export function diagnose({ code, signal, log, stderr }: SshEnd): Diagnosis {
  if (code === bridgeExit.absent) return { failure: "absent", why: "no server is running there" };
  if (code === bridgeExit.unanswered) return { failure: "unanswered", why: "nobody answers on the ipc file" };
  const remote = lastLine(stderr);
  if (code === 127 || code === 126) {
    return {
      failure: "naught",
      why: `naught was not found there; say where it is with --remote-naught${inBrackets(remote)}`,
    };
  }
  if (code === 0) return { failure: "link", why: "the connection was closed" };
  if (code === null) return { failure: "link", why: signal ? `ssh was ended by ${signal}` : log };
  // 255 is ssh's own; older servers and forced commands may end with it, too.
  if (code !== 255) return { failure: "naught", why: remote || `the command there ended with ${code}` };
  const said = `${log}\n${stderr}`;
  const known = ownWords.find(([pattern]) => pattern.test(said));
  const detail = lastLine(log) || remote;
  if (!known) return { failure: "link", why: detail || "ssh could not connect" };
  return { failure: known[1], why: `${known[2]}${inBrackets(detail)}` };
}

function inBrackets(text: string): string {
  return text ? ` (${text})` : "";
}

/** For a terminal: without what moves its cursor. */
function lastLine(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.replace(/\p{Cc}/gu, "").trim());
  return (lines.filter(Boolean).at(-1) ?? "").slice(0, 300);
}
