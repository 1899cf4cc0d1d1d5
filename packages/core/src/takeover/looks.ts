// What a takeover has read live a moment ago: where nothing was waited for since, the next step need not read it again.

import type { Node, Pod } from '../kubernetes/objects.ts';
import type { LiveRead } from '../term/live-read.ts';
import type { Clock } from '../time/clock.ts';

/** Far less than a kubelet takes to come back and be heard, and than any write that follows may last. */
const holdsForMs = 1_000;

/** Something, and when it was seen. */
export interface Seen<T> {
  readonly what: T;
  /** Before it was asked for, on the monotonic clock. */
  readonly at: number;
}

/**
 * The latest looks of one takeover. They serve what harms nobody, or what a conditional write follows: right before each
 * act that harms the node is looked at anew.
 */
export class Looks {
  readonly #clock: Pick<Clock, 'now'>;
  #node: Seen<LiveRead<Node>> | undefined;
  #pods: Seen<readonly LiveRead<Pod>[]> | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The Node as it was when it was last found to be dead; undefined when that is no longer to be relied on. */
  get deadNode(): Seen<LiveRead<Node>> | undefined {
    return this.#recent(this.#node);
  }

  /** All pods on the node. */
  get pods(): readonly LiveRead<Pod>[] | undefined {
    return this.#recent(this.#pods)?.what;
  }

  /** @param node - Undefined when it wasn't found dead. */
  sawNode(node: LiveRead<Node> | undefined, at: number): void {
    this.#lookedAt = at;
    this.#node = node && { what: node, at };
  }

  sawPods(pods: readonly LiveRead<Pod>[], at: number): void {
    this.#pods = { what: pods, at };
  }

  /** How long ago the node was looked at last, in milliseconds, whatever was waited for since. */
  get sinceLookMs(): number {
    return this.#clock.now() - this.#lookedAt;
  }

  /** To be called whenever something was waited for. */
  forget(): void {
    this.#node = undefined;
    this.#pods = undefined;
  }

  #recent<T>(seen: Seen<T> | undefined): Seen<T> | undefined {
    return seen !== undefined && this.#clock.now() - seen.at <= holdsForMs ? seen : undefined;
  }
}
