// One last live look before anything irreversible: fencing may have taken long, and the node may have come back.
import { describePod, mustGo } from '../affected-pods.ts';
import { keepsakeOf } from '../keepsake.ts';
import { readLiveNode } from '../life-signs.ts';
import { done, type PerformStep } from '../step.ts';
import { counted } from '../wording.ts';

export const recheck: PerformStep = async (context) => {
  const { cluster, term, record } = context;
  const live = await readLiveNode(context);
  if (live.state === 'alive') return { outcome: 'undo', detail: live.detail };
  const pods = [];
  for (const { object } of await cluster.listPodsOn(term, record.node.name)) {
    if (mustGo(object)) pods.push(await describePod(term, cluster, object));
  }
  const state = live.state === 'gone' ? live.detail : 'still dead';
  const keepsake = live.state === 'gone' ? {} : { keepsake: keepsakeOf(live.node.object) };
  return done(`${state}; ${counted(pods.length, 'pod')} to release`, { pods, ...keepsake });
};
