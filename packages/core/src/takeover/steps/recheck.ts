// One last live look before anything irreversible: fencing may have taken long, and the node may have come back.

import type { Pod } from '../../kubernetes/objects.ts';
import { keepAnnotation } from '../../marks/pods.ts';
import type { AffectedPod } from '../../pods/affected-pod.ts';
import type { LiveRead } from '../../term/live-read.ts';
import { counted, namesOf } from '../../wording/numbers.ts';
import { describePod } from '../describe-pod.ts';
import { signOfGoneHost, signOfStoppedHost } from '../gone-host.ts';
import { beyondProof } from '../isolation.ts';
import { keepsakeOf } from '../keepsake.ts';
import { letGoOf, readNodeUnlessSeen } from '../life-signs.ts';
import { endedByOthers, podsToRelease } from '../nothing-left.ts';
import { isolatedFromOnly } from '../record.ts';
import {
  done,
  held,
  type PerformStep,
  type StepContext,
  type StepResult,
  wait,
  withPatience,
} from '../step.ts';

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
  const present = await podsToRelease(context);
  const beyond = await beyondProofOf(context, present);
  if (beyond !== undefined) return beyond;
  const pods = withFreed(context, await described(context, present));
  const state = live.state === 'gone' ? live.detail : 'still dead';
  if (live.state === 'gone') return done(`${state}; ${planFor(pods)}`, { pods });
  const { object } = live.node;
  return done(`${state}; ${planFor(pods)}`, { pods, keepsake: keepsakeOf(object) });
};

/** What the proof covered may not be all that is there by now: then there is more to be fenced. Undefined when it covers all. */
async function beyondProofOf(
  context: StepContext,
  present: readonly LiveRead<Pod>[],
): Promise<StepResult | undefined> {
  const { record } = context;
  const csiDrivers = isolatedFromOnly(record);
  if (csiDrivers === undefined) return undefined;
  const beyond = await beyondProof(context, csiDrivers, present);
  if (beyond.length === 0) return undefined;
  const isolation = { ...record.isolation, proofs: record.isolation?.proofs ?? [], beyond };
  return { ...wait(`not covered by the proof: ${beyond.join(', ')}`, 0), findings: { isolation } };
}

/** With those that were let go of before the others, which are waited for as well. */
function withFreed({ record }: StepContext, pods: readonly AffectedPod[]): readonly AffectedPod[] {
  if (record.isolation?.freed !== true) return pods;
  const earlier = record.pods.filter(({ uid }) => pods.every((pod) => pod.uid !== uid));
  return [...earlier, ...pods];
}

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

/**
 * Without a look nothing may be harmed, and a takeover that can't look must not stand in the way of the next. One that has let go of
 * some pods can't be begun anew, and waits.
 */
export const recheck: PerformStep = withPatience(patienceMs, lookAgain, (why, { record }) =>
  record.isolation?.freed === true
    ? wait(why, 1_000)
    : {
        outcome: 'undo',
        detail: `given up: it could not be looked at again before the release: ${why}`,
      },
);

function planFor(pods: readonly AffectedPod[]): string {
  const kept = pods.filter((pod) => pod.kept === true);
  const lost = pods.filter((pod) => pod.bare === true && pod.kept !== true);
  const parts = [`${counted(pods.length - kept.length, 'pod')} to release`];
  if (lost.length > 0) parts.push(`lost for good, since nobody makes them anew: ${namesOf(lost)}`);
  if (kept.length > 0) parts.push(`kept by ${keepAnnotation}: ${namesOf(kept)}`);
  return parts.join('; ');
}
