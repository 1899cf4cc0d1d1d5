// What a leader does about nodes that were taken over and are there again.

import type { FleetNode } from '../policy/fleet-node.ts';
import { judgeOf, type NodePast, pastOf } from '../takeover/node-past.ts';
import type { RecordBook } from '../takeover/records/record-book.ts';
import { wordsOf } from '../takeover/step.ts';
import type { Troubles } from '../telling/troubles.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { type Clock, sleep } from '../time/clock.ts';
import type { Returner } from './returner.ts';

export interface ReturnsOptions {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly nodeNamed: (name: string) => FleetNode | undefined;
  readonly returner: Returner;
  /** Every record known in this term. What a return adds to one is put in its place. */
  readonly records: RecordBook;
  /** Whether somebody else works on a node: then it is not attended to. */
  readonly isBusy: (node: string) => boolean;
  /** Told what fails, and that it no longer does. */
  readonly troubles: Pick<Troubles, 'failed' | 'over'>;
  readonly onError: (where: string, error: unknown) => void;
}

const retryMs = 1_000;

/** The returns of one term. */
export class Returns {
  readonly #options: ReturnsOptions;
  /** Returns being attended to, by node name: one at a time each. */
  readonly #attending = new Map<string, Promise<void>>();
  /** Since when each node that came back has been well, as this leader saw it. */
  readonly #wellSince = new Map<string, number>();

  constructor(options: ReturnsOptions) {
    this.#options = options;
  }

  /** Takes in again what was taken over and has come back. No brake holds this. */
  attend(): void {
    const { nodeNamed, records, isBusy } = this.#options;
    for (const name of records.nodes()) {
      const there = nodeNamed(name);
      if (there === undefined) continue;
      const past = pastOf(records.ofNode(name));
      if (judgeOf(past) === undefined) this.#wellSince.delete(name);
      if (!past.busy && !isBusy(name)) this.#attend(past, there);
    }
  }

  /** Resolves once nobody is being attended to any more. */
  async settled(): Promise<void> {
    while (this.#attending.size > 0) await Promise.all(this.#attending.values());
  }

  #attend(past: NodePast, there: FleetNode): void {
    const { node } = there;
    const { name } = node.metadata;
    const { term, clock, records, returner, troubles, onError } = this.#options;
    if (this.#attending.has(name)) return;
    const seen = { node, readySince: this.#backSince(there) };
    if (!returner.isDue(past, seen)) return;
    const work = async (): Promise<void> => {
      try {
        for (const saved of await returner.attend(term, past, seen)) records.put(saved);
        troubles.over(name);
      } catch (error) {
        if (term.remainingMs() > 0) {
          onError(`return of ${name}`, error);
          troubles.failed(node.metadata, 'return', wordsOf(error));
        }
        await sleep(clock, retryMs, term.signal);
      } finally {
        this.#attending.delete(name);
      }
    };
    this.#attending.set(name, work());
  }

  /**
   * Since when a node that came back has been well and Ready. The Ready condition alone can't tell: it outlives its node
   * by most of a minute, which is longer than a takeover takes.
   */
  #backSince({ node, assessment, state }: FleetNode): number | undefined {
    const { name } = node.metadata;
    const well = assessment === undefined || assessment.health === 'alive';
    if (!well || state.readySince === undefined) {
      this.#wellSince.delete(name);
      return undefined;
    }
    const since = this.#wellSince.get(name) ?? this.#options.clock.now();
    this.#wellSince.set(name, since);
    return Math.max(since, state.readySince);
  }
}
