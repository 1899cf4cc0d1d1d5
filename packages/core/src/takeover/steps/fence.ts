// Makes sure that the node can't write any more, by the policy's ladder of fencers.
import { climbLadder } from '../../fencing/ladder.ts';
import { readLiveNode } from '../life-signs.ts';
import { done, type PerformStep, wait } from '../step.ts';

export const fence: PerformStep = async (context) => {
  const { record, term } = context;
  const live = await readLiveNode(context);
  if (live.state === 'alive') return { outcome: 'undo', detail: live.detail };
  // Nothing is left to fence by name. Its pods may still be on record, so the takeover goes on, with what proof it has.
  if (live.state === 'gone') return { outcome: 'skipped', detail: live.detail };
  const fencers = record.policy.drivers.flatMap((name) => {
    const fencer = context.fencers.get(name);
    return fencer === undefined ? [] : [fencer];
  });
  const target = { node: live.node.object, deathId: record.deathId };
  const { proof } = record.policy;
  const result = await climbLadder(fencers, target, { proof, signal: term.signal, clock: context.clock });
  return result.outcome === 'waiting'
    ? wait(result.detail, result.retryAfterMs)
    : done(`proof: ${result.proof} (${result.detail})`, { proof: result.proof });
};
