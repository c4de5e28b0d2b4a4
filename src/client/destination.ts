/** Where ssh is to go: `[user@]host[:port]`, taken apart and checked before anything is run with it. */

export interface Destination {
  /** As it was typed. */
  readonly text: string;
  /** What ssh is given: the host, or an alias from the user's own configuration, with the user if one was named. */
  readonly target: string;
  readonly port: number | undefined;
}

// What ssh would take for an option, or what a `ProxyCommand` of the user's configuration would hand to a shell.
const forbidden = /[\s\p{Cc}'"`$\\;&<>|(){}*?!#]/u;

/** Undefined for what is no destination, or not a safe one. */
export function parseDestination(text: string): Destination | undefined {
  const at = text.lastIndexOf("@");
  const user = at < 0 ? undefined : text.slice(0, at);
  const place = splitPort(text.slice(at + 1));
  if (!place || !isSafe(place.host) || (user !== undefined && !isSafe(user))) return undefined;
  return { text, target: user === undefined ? place.host : `${user}@${place.host}`, port: place.port };
}

function splitPort(place: string): { host: string; port: number | undefined } | undefined {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(place);
  // An IPv6 address has colons of its own: with a port it needs brackets.
  const plain = bracketed ?? /^([^:]*)(?::([^:]*))?$/.exec(place) ?? [place, place, undefined];
  const [, host = "", digits] = plain;
  if (digits === undefined) return { host, port: undefined };
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : 0;
  return port >= 1 && port <= 65_535 ? { host, port } : undefined;
}

function isSafe(word: string): boolean {
  return word !== "" && word.length <= 255 && !word.startsWith("-") && !forbidden.test(word);
}
