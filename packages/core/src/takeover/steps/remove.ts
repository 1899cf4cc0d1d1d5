// Deletes the Node, unless the policy keeps it or it has come back.
import { readLiveNode } from '../life-signs.ts';
import { done, type PerformStep, wait } from '../step.ts';

export const remove: PerformStep = async (context) => {
  if (context.record.policy.node === 'keep') {
    return {
      outcome: 'skipped',
      detail: 'the policy keeps the Node, tainted, until it has returned for certain',
    };
  }
  const live = await readLiveNode(context);
  if (live.state === 'gone') return done(live.detail);
  if (live.state === 'alive') return { outcome: 'skipped', detail: `kept: ${live.detail}` };
  const outcome = await context.cluster.deleteNode(context.term, live.node);
  if (outcome === 'conflict') return wait('the Node changed meanwhile', 200);
  return done(outcome === 'written' ? 'Node deleted' : 'the Node was gone already');
};
