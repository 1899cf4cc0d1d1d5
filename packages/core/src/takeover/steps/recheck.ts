// One last live look before anything irreversible: fencing may have taken long, and the node may have come back.

import { keepAnnotation } from '../../marks/pods.ts';
import type { AffectedPod } from '../../pods/affected-pod.ts';
import { counted, namesOf } from '../../wording/numbers.ts';
import { describePod } from '../describe-pod.ts';
import { signOfGoneHost } from '../gone-host.ts';
import { keepsakeOf } from '../keepsake.ts';
import { letGoOf, readLiveNode } from '../life-signs.ts';
import { endedByOthers, podsToRelease } from '../nothing-left.ts';
import { done, held, type PerformStep, withPatience } from '../step.ts';

/** Longer than a control plane takes to be upgraded; then the death is decided about anew. */
const patienceMs = 300_000;

const lookAgain: PerformStep = async (context) => {
  const { cluster, term } = context;
  const live = await readLiveNode(context);
  if (live.state === 'alive') return letGoOf(live);
  if (live.state === 'gone') {
    const ended = await endedByOthers(context);
    if (ended !== undefined) return ended;
    const up = await signOfGoneHost(context);
    if (up !== undefined) return held([up]);
  }
  const pods = [];
  for (const { object } of await podsToRelease(context)) {
    pods.push(await describePod(term, cluster, object));
  }
  const state = live.state === 'gone' ? live.detail : 'still dead';
  const keepsake = live.state === 'gone' ? {} : { keepsake: keepsakeOf(live.node.object) };
  return done(`${state}; ${planFor(pods)}`, { pods, ...keepsake });
};

/** Without a look nothing may be harmed, and a takeover that can't look must not stand in the way of the next. */
export const recheck: PerformStep = withPatience(patienceMs, lookAgain, (why) => ({
  outcome: 'undo',
  detail: `given up: it could not be looked at again before the release: ${why}`,
}));

function planFor(pods: readonly AffectedPod[]): string {
  const kept = pods.filter((pod) => pod.kept === true);
  const lost = pods.filter((pod) => pod.bare === true && pod.kept !== true);
  const parts = [`${counted(pods.length - kept.length, 'pod')} to release`];
  if (lost.length > 0) parts.push(`lost for good, since nobody makes them anew: ${namesOf(lost)}`);
  if (kept.length > 0) parts.push(`kept by ${keepAnnotation}: ${namesOf(kept)}`);
  return parts.join('; ');
}
