// Which moments of a takeover become Kubernetes Events, and in which words.
import type { NodeEvent } from './cluster.ts';
import type { TakeoverProgress } from './executor.ts';

/** Undefined for moments that are too small for an Event; they are in the record and in the log. */
export function eventFor({ record, step, phase, detail }: TakeoverProgress): NodeEvent | undefined {
  const event = (type: NodeEvent['type'], reason: NodeEvent['reason'], message: string): NodeEvent => ({
    type,
    reason,
    message: `${message} (takeover ${record.id})`,
    node: record.node,
  });
  if (phase === 'waiting' && step === 'verify') return undefined;
  if (phase === 'waiting' && detail.startsWith('held: ')) return event('Warning', 'TakeoverHeld', detail);
  if (phase === 'waiting' && step === 'fence') return event('Warning', 'FencingPending', detail);
  if (phase !== 'done' && phase !== 'skipped') return undefined;
  switch (step) {
    case 'claim':
      return event('Warning', 'TakeoverStarted', `the node is dead: ${record.reasons.join(', ')}`);
    case 'fence':
      return event('Normal', 'NodeFenced', detail);
    case 'release':
      return event('Normal', 'NodeReleased', detail);
    case 'remove':
      return event('Normal', phase === 'done' ? 'NodeRemoved' : 'NodeKept', detail);
    case 'verify':
      return event(detail.startsWith('not recovered') ? 'Warning' : 'Normal', 'TakeoverVerified', detail);
    case 'policy':
      return event('Normal', 'TakeoverPolicyChanged', detail);
    case 'undo':
      return event('Normal', 'TakeoverUndone', `${record.undoing ?? 'the node is alive'}; ${detail}`);
    default:
      return undefined;
  }
}
