// Takeovers on record as a table, in the order in which they come, and what lies beside them.
import type { UnreadableRecord } from '@liberator/core';
import { table } from '../text/table.ts';
import { age, between, took } from '../text/time.ts';
import type { TakeoverSummary } from './summary.ts';

/**
 * @param now ISO 8601
 * @param columns - How wide a line may be; undefined: as wide as it likes.
 */
export function takeoverTable(
  summaries: readonly TakeoverSummary[],
  now: string,
  columns: number | undefined,
): readonly string[] {
  const rows = summaries.map((summary) => {
    const { id, node, state, running, openedAt, durationMs, epoch, leader, policy, detail } = summary;
    const proof = proofWords(summary);
    const by = leader === undefined ? '' : `by ${leader} `;
    const who = `${by}in epoch ${epoch}, policy ${policy}${proof === '' ? '' : `, ${proof}`}`;
    return [
      id,
      node,
      running ? `in ${state}` : state,
      age(between(openedAt, now)),
      took(durationMs),
      detail === undefined ? who : `${who}: ${detail}`,
    ];
  });
  return table([['TAKEOVER', 'NODE', 'STATE', 'AGE', 'TOOK', 'DETAIL'], ...rows], columns);
}

/** What vouches for the death and who says so, or who is asked and for how long; empty where there is nothing to say. */
export function proofWords({ proof, fencer, climb = [] }: TakeoverSummary): string {
  if (proof !== undefined) return `proof ${proof}${fencer === undefined ? '' : ` by ${fencer}`}`;
  const now = climb.find(({ state }) => state === 'asked');
  if (now?.leftMs === undefined) return '';
  return `${now.fencer} is asked, ${took(now.leftMs)} left`;
}

/** Records that can't be used. Nobody but a human mends them. */
export function setAsideTable(
  setAside: readonly UnreadableRecord[],
  columns: number | undefined,
): readonly string[] {
  const rows = setAside.map(({ name, node = '-', kind, problem }) => [name, node, kind, problem]);
  return table([['RECORD', 'NODE', 'STATE', 'WHY'], ...rows], columns);
}
