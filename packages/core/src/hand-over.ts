// A leader doesn't fence the machine that it runs on while somebody else could lead: it hands over first, and stays away as long.

import type { FleetNode } from './policy/fleet-node.ts';
import { type Clock, sleep } from './time/clock.ts';

/** Where this replica runs, and who else could lead. */
export interface Self {
  /** Name of the Node that this process runs on. */
  readonly nodeName: string;
  /**
   * Whether another replica, on another node, could lead at this moment. Asked live: right before this one would fence its own node, and
   * now and then while it stays away. A rejection, and no answer within five seconds, count as no.
   */
  othersReady(): Promise<boolean>;
}

export interface HandOverOptions {
  readonly self: Self;
  readonly clock: Clock;
  /** The own node as the watches show it. */
  readonly ownNode: () => FleetNode | undefined;
  /** For how long nobody may lead before whoever seemed to be ready is thought not to be, in milliseconds. */
  readonly patienceMs: number;
  readonly onError: (error: unknown) => void;
}

const answerWithinMs = 5_000;
const askEveryMs = 5_000;

export class HandOver {
  readonly #options: HandOverOptions;
  /** What was last heard of others. */
  #othersReady = false;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Since when nobody has led and we have left it to others. */
  #awaySince: number | undefined;
  /** Nobody took it: whoever seemed to be ready is not. */
  #isInVain = false;

  constructor(options: HandOverOptions) {
    this.#options = options;
  }

  get nodeName(): string {
    return this.#options.self.nodeName;
  }

  /** Whether a leader has to hand over before it fences its own node. */
  async isDue(): Promise<boolean> {
    if (this.#isInVain) return false;
    return this.#ask();
  }

  /** Whether this replica may take the Lease, which is free. Says no for a while only: somebody has to lead. */
  mayLead(): boolean {
    if (!this.#isTarget()) this.#reset();
    else if (!this.#othersReady) this.#awaySince = undefined;
    else if (!this.#isInVain) {
      const { clock, patienceMs } = this.#options;
      this.#awaySince ??= clock.now();
      this.#isInVain = clock.now() - this.#awaySince >= patienceMs;
      return this.#isInVain;
    }
    return true;
  }

  /** Somebody else leads. */
  sawLeader(): void {
    this.#awaySince = undefined;
    this.#isInVain = false;
  }

  /** To be called now and then while this replica doesn't lead. */
  look(): void {
    const { clock } = this.#options;
    if (!this.#isTarget() || clock.now() - this.#askedAt < askEveryMs) return;
    void this.#ask();
  }

  /** Its kubelet hangs or it is called dead: whoever leads is about to fence it, or would be. */
  #isTarget(): boolean {
    const node = this.#options.ownNode();
    return node?.health === 'dead' || node?.assessment?.hungSince !== undefined;
  }

  #reset(): void {
    this.#othersReady = false;
    this.#awaySince = undefined;
    this.#isInVain = false;
  }

  async #ask(): Promise<boolean> {
    const { self, clock, onError } = this.#options;
    this.#askedAt = clock.now();
    const over = new AbortController();
    try {
      const late = sleep(clock, answerWithinMs, over.signal).then(() => false);
      this.#othersReady = await Promise.race([self.othersReady(), late]);
    } catch (error) {
      this.#othersReady = false;
      onError(error);
    } finally {
      over.abort();
    }
    return this.#othersReady;
  }
}
