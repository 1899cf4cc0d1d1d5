// Which policy a takeover follows: the one of now, until it has released anything.

import type { Rung } from '../fencing/fencing-rules.ts';
import { fencersIn } from '../fencing/ladder.ts';
import { acceptableProofs } from '../fencing/proof.ts';
import type { Policy } from '../policy/policy.ts';
import type { PolicyChange, RecordedPolicy, TakeoverRecord } from './record.ts';

/** So many changes stay on record: replicas that disagree about their policies may take turns for long. */
const keptChanges = 10;

/** What of a policy goes into a record. */
export function recordedPolicyOf({ name, node, fencing }: Policy): RecordedPolicy {
  // How old a check may be matters until a takeover begins, and no longer.
  const { maxCheckAgeMs: _, ...followed } = fencing;
  return { name, node, ...followed, drivers: fencersIn(fencing) };
}

export function isSamePolicy(a: RecordedPolicy, b: RecordedPolicy): boolean {
  return policyDifferences(a, b).length === 0;
}

/** Whether two policies ask the same fencers in the same order, for however long: what one has come to then counts for the other. */
function isSameLadder(a: RecordedPolicy, b: RecordedPolicy): boolean {
  return JSON.stringify(fencersIn(a)) === JSON.stringify(fencersIn(b));
}

/** What makes one another, for people; empty when nothing does. */
export function policyDifferences(from: RecordedPolicy, to: RecordedPolicy): readonly string[] {
  const pairs = [
    ['policy', from.name, to.name],
    ['proof', from.proof, to.proof],
    ['fencing by', ladderWords(from), ladderWords(to)],
    ['accepted proofs', acceptWords(from), acceptWords(to)],
    ['giving up', afterWords(from.giveUpAfterMs), afterWords(to.giveUpAfterMs)],
    ['afterwards', from.afterwards ?? 'leave-off', to.afterwards ?? 'leave-off'],
    ['hung', afterWords(from.hungAfterMs), afterWords(to.hungAfterMs)],
    ['the Node', from.node, to.node],
  ];
  return pairs.flatMap(([what, before, now]) => (before === now ? [] : [`${what}: ${now}, not ${before}`]));
}

function ladderWords({ ladder, drivers }: RecordedPolicy): string {
  const rungs: readonly Rung[] = ladder ?? drivers.map((fencer) => ({ fencer }));
  const words = rungs.map(({ fencer, forMs }) =>
    forMs === undefined ? fencer : `${fencer} for ${forMs / 1_000} s`,
  );
  return words.join(', ') || 'nobody';
}

function acceptWords({ accept }: RecordedPolicy): string {
  return [...new Set(accept ?? acceptableProofs)].sort().join(', ');
}

function afterWords(ms: number | undefined): string {
  return ms === undefined ? 'unsaid' : `after ${ms / 1_000} s`;
}

/** The record under the policy of now, with the change on it. */
export function followPolicy(
  record: TakeoverRecord,
  policy: RecordedPolicy,
  { at, epoch }: { readonly at: string; readonly epoch: number },
): TakeoverRecord {
  const change: PolicyChange = { at, epoch, from: record.policy, to: policy };
  const changes = [...(record.policyChanges ?? []), change];
  const { climb, ...rest } = record;
  const kept = climb !== undefined && isSameLadder(record.policy, policy) ? { climb } : {};
  return { ...rest, ...kept, policy, policyChanges: changes.slice(-keptChanges) };
}
