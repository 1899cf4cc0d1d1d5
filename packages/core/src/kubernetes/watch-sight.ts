// Whether a watched copy can be trusted at a given moment. Pure: time comes in as an argument.

/**
 * When a copy counts as stale: always before its first complete list and after the reflector was stopped; at once when
 * the server refuses the credentials or the permission (401, 403); and by these two limits.
 */
export interface SightOptions {
  /**
   * No watch is open, for longer than this. Default 5000 ms. Watches end every few minutes by design and are open again
   * within milliseconds: counting that as blindness would give every node a new grace period each time. So much less
   * than any silence that condemns a node, so much more than a reconnect takes.
   */
  readonly staleAfterBreakMs: number;
  /**
   * A watch is open, but nothing came through it for longer than this. Default: the idle timeout plus 15 s, which is
   * the least that a quiet resource needs, since a connection that died without a word looks just like one on which
   * nothing happens. That is the trade-off: up to this long, such a copy may be old without anyone knowing. Choose much
   * less for a resource that is never quiet, such as node Leases (30 s), and let an own renewal that must come back
   * through the own watch prove that the copy is alive.
   */
  readonly staleAfterSilenceMs: number;
}

export class WatchSight {
  readonly #options: SightOptions;
  #generation = 0;
  #syncedAt: number | undefined;
  #lastHeardAt: number | undefined;
  /** Since when no watch proves the copy; undefined while one is open. */
  #brokenSince: number | undefined;
  /** Refused or stopped: stale whatever the limits say. */
  #lost = false;
  #freshSince: number | undefined;

  constructor(options: SightOptions) {
    this.#options = options;
  }

  get generation(): number {
    return this.#generation;
  }

  get syncedAt(): number | undefined {
    return this.#syncedAt;
  }

  get lastHeardAt(): number | undefined {
    return this.#lastHeardAt;
  }

  isStale(now: number): boolean {
    if (this.#lost || this.#syncedAt === undefined || this.#lastHeardAt === undefined) return true;
    if (now - this.#lastHeardAt > this.#options.staleAfterSilenceMs) return true;
    return this.#brokenSince !== undefined && now - this.#brokenSince > this.#options.staleAfterBreakMs;
  }

  freshSince(now: number): number | undefined {
    return this.isStale(now) ? undefined : this.#freshSince;
  }

  /** A sign of life that by itself proves nothing about the copy: a page of a list, an event, a bookmark. */
  heard(now: number): void {
    this.#change(now, () => {
      this.#lastHeardAt = now;
    });
  }

  /** A complete list was taken over: the copy is current as of now, but no watch keeps it so yet. */
  synced(now: number): void {
    this.#change(now, () => {
      this.#generation += 1;
      this.#syncedAt = now;
      this.#lastHeardAt = now;
      this.#brokenSince = now;
      this.#lost = false;
    });
  }

  /** A watch from the last known resourceVersion is open: whatever was missed comes through it now. */
  opened(now: number): void {
    this.#change(now, () => {
      this.#lastHeardAt = now;
      this.#brokenSince = undefined;
      this.#lost = false;
    });
  }

  /** The watch ended, for whatever reason, or could not be opened. */
  broke(now: number): void {
    this.#brokenSince ??= now;
  }

  /** The server refuses us, or we stopped: nothing is known from now on. */
  lost(now: number): void {
    this.broke(now);
    this.#lost = true;
  }

  /** Trust that returns begins anew; only trust without a gap keeps its beginning. */
  #change(now: number, change: () => void): void {
    const wasStale = this.isStale(now);
    change();
    if (wasStale && !this.isStale(now)) this.#freshSince = now;
  }
}
