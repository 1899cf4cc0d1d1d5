// Which policy a takeover follows: the one of now, until it has released anything.
import type { Policy } from '../policy/policy.ts';
import type { PolicyChange, RecordedPolicy, TakeoverRecord } from './record.ts';

/** So many changes stay on record: replicas that disagree about their policies may take turns for long. */
const keptChanges = 10;

/** What of a policy goes into a record. */
export function recordedPolicyOf({ name, node, fencing }: Policy): RecordedPolicy {
  return { name, node, proof: fencing.proof, drivers: fencing.drivers };
}

export function isSamePolicy(a: RecordedPolicy, b: RecordedPolicy): boolean {
  return policyDifferences(a, b).length === 0;
}

/** What makes one another, for people; empty when nothing does. */
export function policyDifferences(from: RecordedPolicy, to: RecordedPolicy): readonly string[] {
  const drivers = (policy: RecordedPolicy): string => policy.drivers.join(', ') || 'nobody';
  const pairs = [
    ['policy', from.name, to.name],
    ['proof', from.proof, to.proof],
    ['fencing by', drivers(from), drivers(to)],
    ['the Node', from.node, to.node],
  ];
  return pairs.flatMap(([what, before, now]) => (before === now ? [] : [`${what}: ${now}, not ${before}`]));
}

/** The record under the policy of now, with the change on it. */
export function followPolicy(
  record: TakeoverRecord,
  policy: RecordedPolicy,
  { at, epoch }: { readonly at: string; readonly epoch: number },
): TakeoverRecord {
  const change: PolicyChange = { at, epoch, from: record.policy, to: policy };
  const changes = [...(record.policyChanges ?? []), change];
  return { ...record, policy, policyChanges: changes.slice(-keptChanges) };
}
