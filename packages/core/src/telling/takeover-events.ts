// Which moments of a takeover become Kubernetes Events, and in which words.
import type { NodeEvent } from '../takeover/cluster.ts';
import type { TakeoverProgress } from '../takeover/executor.ts';
import type { TakeoverRecord, TakeoverStep } from '../takeover/record.ts';

/** As the beginning of a sentence. */
export function whyTaken({ hung }: Pick<TakeoverRecord, 'hung'>): string {
  return hung === true ? 'its host is up and its kubelet hangs' : 'the node is dead';
}

/** Undefined for moments that are too small for an Event; they are in the record and in the log. */
export function eventFor({ record, step, phase, detail, held }: TakeoverProgress): NodeEvent | undefined {
  const event = (type: NodeEvent['type'], reason: NodeEvent['reason'], message: string): NodeEvent => ({
    type,
    reason,
    message: `${message} (takeover ${record.id})`,
    node: record.node,
  });
  if (phase === 'waiting' && step === 'verify') return undefined;
  if (phase === 'waiting' && held) return event('Warning', 'TakeoverHeld', detail);
  if (phase === 'waiting' && step === 'fence') return event('Warning', 'FencingPending', detail);
  if (step === 'power-on' && phase === 'skipped') return event('Warning', 'PowerOnFailed', detail);
  if (phase !== 'done' && phase !== 'skipped') return undefined;
  const isLeft = step in record.steps && record.steps[step as TakeoverStep]?.left !== undefined;
  // Nobody was fenced and nothing was released by a step that had nothing to do; one that could do nothing says so.
  if (phase === 'skipped' && step !== 'remove' && !isLeft) return undefined;
  switch (step) {
    case 'claim':
      return event('Warning', 'TakeoverStarted', `${whyTaken(record)}: ${record.reasons.join(', ')}`);
    case 'fence':
      return event('Normal', 'NodeFenced', detail);
    case 'release':
      if (phase === 'skipped') return event('Warning', 'TakeoverHeld', `not released: ${detail}`);
      return event(isLeft ? 'Warning' : 'Normal', 'NodeReleased', detail);
    case 'remove':
      if (phase === 'done') return event('Normal', 'NodeRemoved', detail);
      return event(isLeft ? 'Warning' : 'Normal', 'NodeKept', detail);
    case 'verify':
      return event(isLeft ? 'Warning' : 'Normal', 'TakeoverVerified', detail);
    case 'power-on':
      return event('Normal', 'NodePoweredOn', detail);
    case 'policy':
      return event('Normal', 'TakeoverPolicyChanged', detail);
    case 'undo': {
      const why = record.undoing ?? record.overtaken ?? 'the node is alive';
      return event(record.left === undefined ? 'Normal' : 'Warning', 'TakeoverUndone', `${why}; ${detail}`);
    }
    default:
      return undefined;
  }
}
