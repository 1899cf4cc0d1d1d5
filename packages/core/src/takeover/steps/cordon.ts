// Keeps new pods away from the node with a taint of our own, which only we remove.
import { letGoOf, readLiveNode } from '../life-signs.ts';
import { done, type PerformStep, wait } from '../step.ts';
import { hasTaint, takeoverTaint, withTaints } from '../taints.ts';

export const cordon: PerformStep = async (context) => {
  const live = await readLiveNode(context);
  if (live.state === 'alive') return letGoOf(live);
  if (live.state === 'gone') return { outcome: 'skipped', detail: live.detail };
  const taint = takeoverTaint(context.record.id);
  const taints = live.node.object.spec?.taints;
  if (hasTaint(taints, taint)) return done('the taint is there');
  const outcome = await context.cluster.setTaints(context.term, live.node, withTaints(taints, [taint]));
  return outcome === 'written'
    ? done(`tainted ${taint.key}:${taint.effect}`)
    : wait('the Node changed meanwhile', 200);
};
