// One last live look before anything irreversible: fencing may have taken long, and the node may have come back.
import { describePod } from '../affected-pods.ts';
import { keepsakeOf } from '../keepsake.ts';
import { letGoOf, readLiveNode } from '../life-signs.ts';
import { endedByOthers, podsToRelease } from '../nothing-left.ts';
import { done, type PerformStep } from '../step.ts';
import { counted } from '../wording.ts';

export const recheck: PerformStep = async (context) => {
  const { cluster, term } = context;
  const live = await readLiveNode(context);
  if (live.state === 'alive') return letGoOf(live);
  if (live.state === 'gone') {
    const ended = await endedByOthers(context);
    if (ended !== undefined) return ended;
  }
  const pods = [];
  for (const { object } of await podsToRelease(context)) {
    pods.push(await describePod(term, cluster, object));
  }
  const state = live.state === 'gone' ? live.detail : 'still dead';
  const keepsake = live.state === 'gone' ? {} : { keepsake: keepsakeOf(live.node.object) };
  return done(`${state}; ${counted(pods.length, 'pod')} to release`, { pods, ...keepsake });
};
