// One takeover as a story: what was known, what was done and how long each step took, what became of pods and volumes.
import {
  type AffectedPod,
  keepAnnotation,
  type RecordedPolicy,
  type TakeoverRecord,
  takeoverSteps,
  type UnwantedPod,
} from '@liberator/core';
import { table } from '../text/table.ts';
import { between, moment, took } from '../text/time.ts';
import { rungsOf } from './climb.ts';
import { summaryOf } from './summary.ts';

type Row = readonly string[];

/**
 * @param now ISO 8601
 * @param columns - How wide a line may be; undefined: as wide as it likes.
 */
export function timeline(
  record: TakeoverRecord,
  now: string,
  columns: number | undefined,
): readonly string[] {
  const sections: readonly [string, readonly Row[]][] = [
    ['', headRows(record)],
    ['', stepRows(record, now)],
    [fencersTitle(record), fencerRows(record)],
    ['EVIDENCE OF THE PROOF', evidenceRows(record)],
    ['GUARDS', guardRows(record)],
    ['PODS', podRows(record)],
    ['RETURN', returnRows(record)],
  ];
  const blocks = sections
    .filter(([, rows]) => rows.length > 0)
    .map(([title, rows]) => (title === '' ? table(rows, columns) : [title, ...table(rows, columns, '  ')]));
  return [headline(record, now), ...blocks.flatMap((lines) => ['', ...lines])];
}

function headline(record: TakeoverRecord, now: string): string {
  const { id, node, state, running, durationMs } = summaryOf(record, now);
  const how = running ? `in step ${state} for` : `${state} after`;
  const ms = running ? between(record.steps[stepNow(record)]?.startedAt ?? now, now) : durationMs;
  return `Takeover ${id} of ${node}: ${how} ${took(ms)}`;
}

function stepNow(record: TakeoverRecord): (typeof takeoverSteps)[number] {
  return takeoverSteps.find((name) => record.steps[name]?.outcome === undefined) ?? 'verify';
}

function headRows(record: TakeoverRecord): readonly Row[] {
  const { policy, evidence, reasons, node } = record;
  const leader = record.leader === undefined ? '' : `${record.leader} in `;
  return [
    ['opened', moment(record.openedAt)],
    ['leader', `${leader}epoch ${record.epoch}`],
    ['node', `${node.name}, uid ${node.uid}`],
    ['policy', policyWords(policy)],
    ['evidence', reasons.length === 0 ? evidence : `${evidence}: ${reasons.join(', ')}`],
    ...(record.policyChanges ?? []).map(({ at, epoch, from }) => [
      'until then',
      `${policyWords(from)} (until ${moment(at)}, epoch ${epoch})`,
    ]),
    ['proof', proofWords(record)],
    ...(record.overtaken === undefined ? [] : [['overtaken', record.overtaken]]),
    ...(record.undoing === undefined ? [] : [['undone', record.undoing]]),
    ...(record.left ?? []).map((one) => ['left', one]),
  ];
}

function policyWords({ name, proof, drivers, node }: RecordedPolicy): string {
  return `${name}: proof ${proof}, fencing by ${drivers.join(', ') || 'nobody'}, ${node} the Node`;
}

function proofWords({ proof, fencer, confirmedBy }: TakeoverRecord): string {
  if (proof === undefined) return 'none yet';
  const by = [fencer, confirmedBy].filter((one) => one !== undefined);
  return by.length === 0 ? proof : `${proof}, by ${by.join(': ')}`;
}

function stepRows(record: TakeoverRecord, now: string): readonly Row[] {
  const rows = takeoverSteps.flatMap((name): readonly Row[] => {
    const step = record.steps[name];
    if (step === undefined) return [];
    const { startedAt, endedAt, outcome, detail = '' } = step;
    const end = endedAt ?? record.closedAt ?? now;
    const how = outcome ?? (record.result === undefined ? 'waiting' : 'stopped');
    const at = `+${took(between(record.openedAt, startedAt))}`;
    return [[name, at, took(between(startedAt, end)), how, detail]];
  });
  return [['STEP', 'BEGAN', 'TOOK', 'OUTCOME', 'DETAIL'], ...rows];
}

function fencersTitle({ climb }: TakeoverRecord): string {
  return climb === undefined || climb.round < 2 ? 'FENCERS' : `FENCERS, IN ROUND ${climb.round}`;
}

/** How each rung of the ladder fared when it had its turn last, and who comes next. */
function fencerRows(record: TakeoverRecord): readonly Row[] {
  const { climb, policy } = record;
  if (climb === undefined) return [];
  const rungs = rungsOf(record);
  return policy.drivers.map((fencer, place) => {
    const turn = climb.rungs[place];
    if (turn === undefined || turn.fencer !== fencer) return [fencer, 'not yet asked', ''];
    const left = rungs[place]?.leftMs;
    const how = howItFared(record, turn, climb);
    return [fencer, left === undefined ? how : `${how}, ${took(left)} left`, turn.detail ?? ''];
  });
}

type Climb = NonNullable<TakeoverRecord['climb']>;

const ends: Readonly<Record<NonNullable<Climb['rungs'][number]['end']>, string>> = {
  failed: 'failed for good',
  'not-accepted': 'not accepted',
  partial: 'covers only some',
  'time-out': 'out of time',
};

function howItFared(
  { proof, fencer }: TakeoverRecord,
  turn: Climb['rungs'][number],
  { round }: Climb,
): string {
  if (proof !== undefined && turn.fencer === fencer) return 'vouched';
  if (turn.end !== undefined) return turn.round === round ? ends[turn.end] : `${ends[turn.end]} before`;
  return proof === undefined ? 'has its turn' : 'called off';
}

function evidenceRows({ proofEvidence = [] }: TakeoverRecord): readonly Row[] {
  return proofEvidence.map(({ witness, said, at }) => [moment(at), witness, said]);
}

function guardRows({ verdicts }: TakeoverRecord): readonly Row[] {
  return verdicts.map(({ guard, verdict }) =>
    verdict.outcome === 'pass' ? [guard, 'passed', ''] : [guard, 'held', verdict.reason],
  );
}

function podRows(record: TakeoverRecord): readonly Row[] {
  return record.pods.flatMap((pod) => {
    const name = `${pod.namespace}/${pod.name}`;
    const volumes = pod.volumes.map(({ claim, volume, pinnedTo }): Row => {
      const pinned = pinnedTo === undefined ? '' : `, which can only be used on ${pinnedTo.join(', ')}`;
      return ['', `claim ${claim}: ${volume === undefined ? 'no volume' : `volume ${volume}`}${pinned}`];
    });
    return [[name, whatBecameOf(pod, record)], ...volumes];
  });
}

const unwantedBecause: Readonly<Record<UnwantedPod, string>> = {
  'scaled-down': 'wanted no more: its set was scaled down',
  'set-deleted': 'wanted no more: its set is gone',
  'namespace-deleted': 'wanted no more: its namespace is gone',
};

function whatBecameOf(pod: AffectedPod, record: TakeoverRecord): string {
  const { replacement, kept, bare, unwanted, handedTo } = pod;
  if (kept === true) return `kept where it is, as ${keepAnnotation} on it asks`;
  if (bare === true) return 'lost: nobody makes it anew';
  if (pod.statefulSet === undefined) return 'not of a StatefulSet: let go of';
  if (replacement !== undefined) {
    const ms = between(record.openedAt, replacement.readyAt);
    return `Ready on ${replacement.node} after ${took(ms)} (StatefulSet ${pod.statefulSet})`;
  }
  if (unwanted !== undefined) return `${unwantedBecause[unwanted]} (StatefulSet ${pod.statefulSet})`;
  if (handedTo !== undefined) return `waited for by takeover ${handedTo} (StatefulSet ${pod.statefulSet})`;
  return `not Ready elsewhere${record.result === undefined ? ' yet' : ''} (StatefulSet ${pod.statefulSet})`;
}

function returnRows({ return: returned }: TakeoverRecord): readonly Row[] {
  if (returned === undefined) return [];
  const { seenAt, restored, quarantined, welcomedAt, detail } = returned;
  return [
    ['seen', moment(seenAt)],
    ...(restored ? [['restored', 'labels, annotations and taints of people']] : []),
    ...(quarantined ? [['quarantine', 'kept new pods away']] : []),
    ...(welcomedAt === undefined ? [] : [['trusted', moment(welcomedAt)]]),
    ['detail', detail],
  ];
}
