// Deletes the Node, unless the policy keeps it or it has come back.
import { readLiveNode } from '../life-signs.ts';
import { done, type PerformStep, wait } from '../step.ts';
import { epochAnnotation } from '../taints.ts';

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
  if (live.node.object.metadata.annotations?.[epochAnnotation] !== String(context.term.epoch)) {
    // An earlier leader's stamp: ours first, then a fresh look.
    await context.cluster.setTaints(context.term, live.node, live.node.object.spec?.taints ?? []);
    return wait('stamping the Node with our epoch', 0);
  }
  const outcome = await context.cluster.deleteNode(context.term, live.node);
  if (outcome === 'conflict') return wait('the Node changed meanwhile', 200);
  return done(outcome === 'written' ? 'Node deleted' : 'the Node was gone already');
};
