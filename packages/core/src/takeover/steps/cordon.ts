// Keeps new pods away from the node with a taint of our own, which only we remove.

import { hasTaint, takeoverTaint, withTaints } from '../../marks/taints.ts';
import { letGoOf, readLiveNode } from '../life-signs.ts';
import { done, type PerformStep, wait, withPatience } from '../step.ts';

/** Short: what the taint spares is pods that are scheduled onto the node in the first minute, and those are waiting. */
const patienceMs = 30_000;

const putTaint: PerformStep = async (context) => {
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

/** Nothing that is safe depends on this taint, so a Node that can't be written is no reason to leave its pods stuck. */
export const cordon: PerformStep = withPatience(patienceMs, putTaint, (why, { record }) => ({
  outcome: 'skipped',
  detail: `not tainted: ${why}`,
  left: [`taint ${takeoverTaint(record.id).key}: ${why}`],
}));
