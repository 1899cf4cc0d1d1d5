// Reads what earlier leaders left on record, until somebody answers.
import type { LeaderTerm } from '../../term/leader-term.ts';
import { type Clock, sleep } from '../../time/clock.ts';
import type { RecordListing, TakeoverCluster } from '../cluster.ts';

const retryMs = 1_000;

/** Tries until the term ends; then there is nothing to go on with, and it resolves with undefined. */
export async function listRecords({
  term,
  clock,
  cluster,
  onError,
}: {
  readonly term: LeaderTerm;
  readonly clock: Clock;
  readonly cluster: Pick<TakeoverCluster, 'listRecords'>;
  readonly onError: (where: string, error: unknown) => void;
}): Promise<RecordListing | undefined> {
  while (!term.signal.aborted && term.remainingMs() > 0) {
    try {
      return await cluster.listRecords(term);
    } catch (error) {
      if (term.signal.aborted || term.remainingMs() <= 0) break;
      onError('takeover records', error);
      await sleep(clock, retryMs, term.signal);
    }
  }
  return undefined;
}
