/** The connection of a client: made anew when it breaks, and listened to without a gap that is not told. */
import { setTimeout as sleep } from "node:timers/promises";
import { NaughtError } from "../protocol/errors.js";
import { EventQueue } from "./event-queue.js";
import { type DaemonPeer, type Reached, reachDaemon, type WatcherHandlers } from "./reach.js";
import { catchUp, hearEvent, meetDaemon, type Sequel } from "./sequel.js";
import type { ClientEvent, ConnectOptions, Host } from "./types.js";

export class Line {
  readonly #target: string | Host;
  readonly #options: ConnectOptions;
  readonly #queues = new Set<EventQueue<ClientEvent>>();
  readonly #closing = new AbortController();
  readonly #handlers: WatcherHandlers;
  #peer: Promise<DaemonPeer> | undefined;
  #wasConnected = false;
  /** Tries since the daemon has last answered anything. */
  #tries = 0;
  #sequel: Sequel = { last: 0, run: undefined };

  constructor(target: string | Host, options: ConnectOptions) {
    this.#target = target;
    this.#options = options;
    this.#handlers = {
      event: (event) => this.#take(hearEvent(this.#sequel, event)),
      waiting: (waiting) => options.onWaiting?.(waiting),
      notice: (notice) => options.onNotice?.(notice),
    };
  }

  /** The present connection; a new one where there is none. */
  peer(): Promise<DaemonPeer> {
    this.#peer ??= this.#open().catch((error: unknown) => {
      this.#peer = undefined;
      throw error;
    });
    return this.#peer;
  }

  async call<T>(work: (peer: DaemonPeer) => Promise<T>): Promise<T> {
    const peer = await this.peer();
    try {
      const answer = await work(peer);
      this.#tries = 0;
      return answer;
    } catch (error) {
      if (!isLoss(error)) this.#tries = 0;
      throw error;
    }
  }

  events(): AsyncIterableIterator<ClientEvent> {
    const queue: EventQueue<ClientEvent> = new EventQueue(() => this.#queues.delete(queue));
    const isFirst = this.#queues.size === 0;
    this.#queues.add(queue);
    if (this.#closing.signal.aborted) queue.end();
    else if (isFirst) {
      // What happened while nobody listened is nobody's.
      this.#sequel = { ...this.#sequel, last: 0 };
      this.#listen((peer) => this.#watch(peer));
    }
    return queue;
  }

  close(): void {
    this.#closing.abort();
    this.#peer?.then(
      (peer) => peer.close(),
      () => {},
    );
    for (const queue of this.#queues) queue.end();
  }

  async #open(): Promise<DaemonPeer> {
    const { firstDelay = 100, longestDelay = 5_000, attempts = 10, reconnect = true } = this.#options;
    const { signal } = this.#closing;
    if (this.#wasConnected && !reconnect) throw new NaughtError("Lost");
    for (;;) {
      // A little apart from other clients of the same daemon.
      const delay = Math.min(firstDelay * 2 ** (this.#tries - 1), longestDelay) * (0.75 + Math.random() / 2);
      if (this.#tries > 0) await sleep(delay, undefined, { signal }).catch(() => {});
      if (signal.aborted) throw new NaughtError("Lost", "the client is closed");
      this.#tries += 1;
      try {
        const peer = demand(await reachDaemon(this.#target, this.#handlers), this.#target);
        this.#wasConnected = true;
        peer.onClose(() => this.#lose());
        if (signal.aborted) peer.close();
        return peer;
      } catch (error) {
        // Nobody expects a daemon that was never there to appear.
        if (!this.#wasConnected || this.#tries >= attempts) throw error;
      }
    }
  }

  #lose(): void {
    this.#peer = undefined;
    // Without listeners there is no hurry: the next call makes a connection.
    if (this.#closing.signal.aborted || this.#queues.size === 0) return;
    this.#listen((peer) => this.#watchOn(peer));
  }

  #listen(watch: (peer: DaemonPeer) => Promise<void>): void {
    this.call(watch).catch((error: unknown) => {
      // Lost once more: that has been noticed elsewhere, unless nobody tries any more.
      if (isLoss(error) && this.#peer !== undefined && this.#options.reconnect !== false) return;
      if (this.#closing.signal.aborted) return;
      for (const queue of this.#queues) queue.end(error as Error);
    });
  }

  async #watch({ client }: DaemonPeer): Promise<void> {
    const { run, sequence } = await client.watch({});
    this.#sequel = { last: Math.max(this.#sequel.last, sequence ?? 0), run };
  }

  /** Where the last connection left off. */
  async #watchOn(peer: DaemonPeer): Promise<void> {
    const { run } = await peer.client.hello({});
    this.#take(meetDaemon(this.#sequel, run));
    const { sequence = 0 } = await peer.client.watch({
      since: this.#sequel.last,
      ...(run !== undefined && { run }),
    });
    this.#take(catchUp(this.#sequel, sequence));
  }

  #take({ sequel, events }: { sequel: Sequel; events: readonly ClientEvent[] }): void {
    this.#sequel = sequel;
    for (const event of events) this.#tell(event);
  }

  #tell(event: ClientEvent): void {
    for (const queue of this.#queues) queue.push(event);
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof NaughtError && error.kind === "Lost";
}

function demand(reached: Reached, target: string | Host): DaemonPeer {
  const place = typeof target === "string" ? target : target.host;
  switch (reached.outcome) {
    case "connected":
      return reached.peer;
    case "absent":
      throw new NaughtError("NotRunning", `no server is running on ${place}`);
    case "unanswered":
      throw new NaughtError("StaleIpc", `nobody answers on the ipc file of ${place}`);
    case "refused":
    case "unreachable":
      throw new NaughtError("Unreachable", reached.why);
  }
}
