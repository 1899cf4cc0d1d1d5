// One last live look before anything irreversible: fencing may have taken long, and the node may have come back.

import type { Pod } from '../../kubernetes/objects.ts';
import { keepAnnotation } from '../../marks/pods.ts';
import type { AffectedPod } from '../../pods/affected-pod.ts';
import type { LiveRead } from '../../term/live-read.ts';
import { counted, namesOf } from '../../wording/numbers.ts';
import { describePod } from '../describe-pod.ts';
import { signOfGoneHost, signOfStoppedHost } from '../gone-host.ts';
import { keepsakeOf } from '../keepsake.ts';
import { letGoOf, readNodeUnlessSeen } from '../life-signs.ts';
import { endedByOthers, podsToRelease } from '../nothing-left.ts';
import { done, held, type PerformStep, type StepContext, withPatience } from '../step.ts';

/** Longer than a control plane takes to be upgraded; then the death is decided about anew. */
const patienceMs = 300_000;

const lookAgain: PerformStep = async (context) => {
  // A device may have been asked in between, for a minute; where nobody was, the look is still a fresh one.
  const live = await readNodeUnlessSeen(context);
  if (live.state === 'alive') return letGoOf(live);
  if (live.state === 'gone') {
    const ended = await endedByOthers(context);
    if (ended !== undefined) return ended;
    const up = await signOfGoneHost(context);
    if (up !== undefined) return held([up]);
  }
  const stillUp = await signOfStoppedHost(context, live.state === 'gone' ? undefined : live.node.object);
  if (stillUp !== undefined) return held([stillUp]);
  const pods = await described(context, await podsToRelease(context));
  const state = live.state === 'gone' ? live.detail : 'still dead';
  if (live.state === 'gone') return done(`${state}; ${planFor(pods)}`, { pods });
  const { object } = live.node;
  return done(`${state}; ${planFor(pods)}`, { pods, keepsake: keepsakeOf(object) });
};

/** So many pods at a time: each is a few requests. */
const atOnce = 5;

async function described(
  { cluster, term }: StepContext,
  pods: readonly LiveRead<Pod>[],
): Promise<readonly AffectedPod[]> {
  const all: AffectedPod[] = [];
  for (let first = 0; first < pods.length; first += atOnce) {
    const some = pods.slice(first, first + atOnce);
    all.push(...(await Promise.all(some.map(({ object }) => describePod(term, cluster, object)))));
  }
  return all;
}

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
