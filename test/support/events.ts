/** The lines that naught prints about its pool of workers, and how a test reads them. */

export interface Counts {
  readonly booting?: number;
  readonly online?: number;
  readonly dying?: number;
  readonly new_online?: number;
}

/** `NAME. booting: a, online: b, dying: c, new_online: d`; what is not given is 0. */
export function line(name: string, counts: Counts = {}): string {
  return `${name}. ${countsLine(counts)}`;
}

export function countsLine(counts: Counts): string {
  const { booting = 0, online = 0, dying = 0, new_online = 0 } = counts;
  return `booting: ${booting}, online: ${online}, dying: ${dying}, new_online: ${new_online}`;
}

export function lines(...all: readonly string[]): string {
  return all.map((each) => `${each}\n`).join("");
}

const pattern = /\w+\. booting: \d+, online: \d+, dying: \d+, new_online: \d+/;

/** The event lines of a text; a log may put a time before them. */
export function eventLines(text: string): string[] {
  return text.split("\n").flatMap((each) => pattern.exec(each)?.[0] ?? []);
}

export function eventNames(text: string): string[] {
  return eventLines(text).map((each) => each.slice(0, each.indexOf(".")));
}

/** What is not an event line. */
export function otherLines(text: string): string[] {
  return text.split("\n").filter((each) => each !== "" && !pattern.test(each));
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** What `start` prints on stderr. */
export function startLines(count: number): string {
  return lines(
    line("Bootup"),
    ...upTo(count).map((n) => line("SpawnNew", { booting: n })),
    ...upTo(count).map((n) => line("NewOnline", { booting: count - n, new_online: n })),
  );
}

/** What a good `deploy` prints on stderr. */
export function deployLines(before: number, after: number): string {
  return lines(
    ...upTo(after).map((n) => line("SpawnNew", { booting: n, online: before })),
    ...upTo(after).map((n) => line("NewOnline", { booting: after - n, online: before, new_online: n })),
    ...upTo(before).map((n) => line("ShutdownOld", { online: before - n, dying: n, new_online: after })),
    ...upTo(before).map((n) => line("OldExit", { dying: before - n, new_online: after })),
    "done",
  );
}

/** What `stop` prints on stderr. */
export function stopLines(count: number): string {
  return lines(
    ...upTo(count).map((n) => line("ShutdownOld", { online: count - n, dying: n })),
    ...upTo(count).map((n) => line("OldExit", { dying: count - n })),
  );
}

/** The event lines of a deploy that failed, without the one that repeats its verdict. */
export function withoutVerdict(stderr: string): string[] {
  return eventLines(stderr).filter((each) => !each.startsWith("DeployFailed."));
}

/** Without the lines that name the workers which are waited for: on a busy machine any boot may take 5 seconds. */
export function dropWaiting(text: string): string {
  return text.replaceAll(/^waiting for worker .*\n/gm, "");
}
