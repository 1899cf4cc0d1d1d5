// What somebody reads who is about to vouch for a death.
import { type AffectedPod, confirmedDeadAnnotation } from '@liberator/core';
import { table } from '../text/table.ts';
import { age, between } from '../text/time.ts';
import type { DeathCase } from './death-case.ts';

/** What was found right now, beside what the leader says. */
export interface Findings {
  /** ISO 8601, by the clock here. */
  readonly now: string;
  /** What a knock from here found, as a sentence. */
  readonly knock: string;
  /** The death that an earlier word on it names. */
  readonly earlier: string | undefined;
  readonly pods: readonly AffectedPod[];
}

/** @param columns - How wide a line may be; undefined: as wide as it likes. */
export function caseText(death: DeathCase, found: Findings, columns: number | undefined): readonly string[] {
  const { node, deathId, record, seen } = death;
  const evidence = seen?.evidence ?? record?.evidence ?? 'none';
  const reasons = seen?.reasons ?? record?.reasons ?? [];
  const facts = [
    ['death', deathId],
    ['evidence', [evidence, reasons.join(', ')].filter(Boolean).join(': ')],
    ...(seen?.silentSince === undefined ? [] : [['silent for', age(between(seen.silentSince, found.now))]]),
    ['from here', found.knock],
    ...standing(death),
    ...(found.earlier === undefined || found.earlier === deathId
      ? []
      : [['replaced', `${confirmedDeadAnnotation} names ${found.earlier}, which is another death`]]),
  ];
  return [
    `${node}${seen === undefined ? ', whose Node is gone' : ''}`,
    ...table(facts, columns, '  '),
    '',
    ...podsText(found.pods, columns),
  ];
}

function standing({ record, seen }: DeathCase): readonly (readonly string[])[] {
  if (record !== undefined)
    return [['takeover', `${record.id} is under way: liberator takeovers ${record.id}`]];
  return (seen?.decision?.verdicts ?? []).flatMap(({ guard, verdict }) =>
    verdict.outcome === 'hold' ? [['held by', `${guard}: ${verdict.reason}`]] : [],
  );
}

function podsText(pods: readonly AffectedPod[], columns: number | undefined): readonly string[] {
  if (pods.length === 0) return ['Nothing would be released: there are no pods on it that have to go.'];
  const rows = pods.map(({ namespace, name, statefulSet, volumes }) => [
    `${namespace}/${name}`,
    statefulSet === undefined ? 'not of a StatefulSet' : `StatefulSet ${statefulSet}`,
    volumes.map(volumeText).join(', ') || '-',
  ]);
  return ['Would be released:', ...table([['POD', 'OF', 'VOLUMES'], ...rows], columns)];
}

function volumeText({ claim, volume, pinnedTo }: AffectedPod['volumes'][number]): string {
  const pinned = pinnedTo === undefined ? '' : ` (only usable on ${pinnedTo.join(', ')})`;
  return `${claim}${volume === undefined ? '' : `: ${volume}`}${pinned}`;
}
