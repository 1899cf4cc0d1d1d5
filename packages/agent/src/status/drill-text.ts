// What fencers say that were asked whether they could fence, as people read it: sums, and whom somebody has to look after.
import type { DrillStatus, NodeCheck, PolicyDrill } from '@liberator/core';
import { formatDuration } from '../text/duration.ts';
import { table } from '../text/table.ts';
import { age, between } from '../text/time.ts';

/**
 * @param at ISO 8601, as the leader counts
 * @param columns - How wide a line may be; undefined: as wide as it likes.
 */
export function drillText(
  drill: DrillStatus | undefined,
  at: string,
  columns: number | undefined,
): readonly string[] {
  if (drill === undefined) return [];
  const { policies, attention, more } = drill;
  const rows = policies.flatMap(policyRows);
  if (rows.length === 0) return [];
  return [
    ...table(
      [['POLICY', 'FENCER', `ASKED EVERY ${formatDuration(drill.everyMs)} WHETHER IT COULD FENCE`], ...rows],
      columns,
    ),
    ...(attention.length === 0
      ? []
      : [
          '',
          ...table(
            [['NODE', 'FENCER', 'LAST READY', 'SAYS'], ...attention.map((one) => nodeRow(one, at))],
            columns,
          ),
        ]),
    ...(more > 0 ? [`and ${more} more: ask with liberator fence NODE --check`] : []),
  ];
}

function policyRows({ policy, ladder }: PolicyDrill): readonly (readonly string[])[] {
  return ladder.map((rung) => [policy, rung.fencer, rungWords(rung)]);
}

/** `48 ready, 2 not ready, 5 not asked yet` */
function rungWords({ unchecked, ready, notReady, waiting }: PolicyDrill['ladder'][number]): string {
  if (unchecked === true) return 'can not be asked';
  const counts = [
    [ready, 'ready'],
    [notReady, 'NOT READY'],
    [waiting, 'not asked yet'],
  ] as const;
  const some = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  return some.join(', ') || 'no node';
}

function nodeRow(check: NodeCheck, at: string): readonly string[] {
  const { node, fencer, readyAt } = check;
  return [
    node,
    fencer,
    readyAt === undefined ? 'not yet' : `${age(between(readyAt, at))} ago`,
    checkWords(check, at),
  ];
}

/** What it said, or that it was not asked for long. */
export function checkWords({ problem, checkedAt }: NodeCheck, at: string): string {
  if (problem === undefined) return `not asked for ${age(between(checkedAt, at))}`;
  const { machine, mayAct, detail } = problem;
  const more = [
    ...(machine === 'mismatched' ? ['ANOTHER MACHINE'] : []),
    ...(mayAct === 'no' ? ['may not act'] : []),
  ];
  return [...more, detail].join(': ');
}
