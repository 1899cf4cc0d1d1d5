// One candidate of an election over a Lease in memory, and what was seen of it.
import { onTestFinished } from 'vitest';
import { LeaderElector, type LeaderElectorOptions, type LeadersWork } from '../election/leader-elector.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import type { Clock } from '../time/clock.ts';
import { ManualClock } from './manual-clock.ts';
import type { LeaseClientOptions, MemoryLease, RequestFate } from './memory-lease.ts';

export const clock = (): ManualClock => new ManualClock();
const noJitter = { next: () => 0 };

/** One candidate, and what was seen of it. */
export class Candidate {
  readonly elector: LeaderElector;
  readonly terms: LeaderTerm[] = [];
  readonly leaders: string[] = [];
  readonly errors: unknown[] = [];
  readonly stop: AbortController = new AbortController();
  /** What `run` came to, once it did. */
  outcome: { returned: boolean } | { threw: unknown } | undefined;

  constructor(
    time: Clock,
    lease: MemoryLease,
    options: Partial<LeaderElectorOptions> & Pick<LeaseClientOptions, 'fate' | 'honoursLimits'> = {},
  ) {
    const { fate, honoursLimits, ...rest } = options;
    this.elector = new LeaderElector({
      store: lease.storeFor({
        clock: time,
        ...(fate && { fate }),
        ...(honoursLimits !== undefined && { honoursLimits }),
      }),
      identity: 'a',
      clock: time,
      random: noJitter,
      onNewLeader: (leader) => this.leaders.push(leader),
      onError: (error) => this.errors.push(error),
      ...rest,
    });
  }

  get term(): LeaderTerm | undefined {
    return this.terms.at(-1);
  }

  get leads(): boolean {
    return (this.term?.remainingMs() ?? 0) > 0;
  }

  /** Leads until told to stop, unless the work is another one. */
  run(work: LeadersWork = untilItsEnd): this {
    this.elector
      .run((term, resign) => {
        this.terms.push(term);
        return work(term, resign);
      }, this.stop.signal)
      .then(
        (returned) => {
          this.outcome = { returned };
        },
        (threw: unknown) => {
          this.outcome = { threw };
        },
      );
    onTestFinished(() => this.stop.abort());
    return this;
  }
}

export const untilItsEnd = (term: LeaderTerm): Promise<void> =>
  new Promise((resolve) => {
    if (term.signal.aborted) return resolve();
    term.signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Fates that a test can change while it runs. */
export function changeable(fate: RequestFate = {}): { fate: () => RequestFate; now: RequestFate } {
  const holder = { fate: () => holder.now, now: fate };
  return holder;
}
