// Makes sure that the node can't write any more, by the policy's ladder of fencers, whether its Node is there or not.

import type { FencePermit } from '../../fencing/fence-context.ts';
import type { FenceTarget } from '../../fencing/fence-target.ts';
import { isAccepted, type Ladder } from '../../fencing/ladder.ts';
import { confirmationIn } from '../../fencing/manual.ts';
import { accepted, askAgainMs, askRung, isHarmless, ladderIn, retryFailedMs } from '../ask-rung.ts';
import { atDeviceOf, climb, fencerInTurn, pauseOf } from '../climb.ts';
import { targetOf } from '../death-target.ts';
import { askPermit } from '../fence-permit.ts';
import { signOfGoneHost } from '../gone-host.ts';
import { freeCovered, isolationWords } from '../isolation.ts';
import { type LiveNode, letGoOf, readLiveNode, readNodeUnlessSeen } from '../life-signs.ts';
import { endedByOthers } from '../nothing-left.ts';
import type { Isolation } from '../record.ts';
import { stillWaits } from '../shared-device.ts';
import { held, type PerformStep, type StepContext, type StepResult, wait } from '../step.ts';

/** For a human, whom nobody hurries. Their word and the node's return show in the watch caches, which cost nothing. */
const lookWhileWaitingEveryMs = 10_000;

/** What that is called among what is settled. */
const waitsForPeople = 'waits for people';

/** The same, of what stays on the node once everything that is covered has gone. */
const whatStays = 'what stays';

export const fence: PerformStep = async (context) => {
  const waitsFor = context.settled.get(waitsForPeople);
  const { isolation } = context.record;
  // As long as some covered pod is left, there is something to do.
  const stays = isolation === undefined ? '' : context.settled.get(whatStays);
  if (stays !== undefined && isAsBefore(context)) {
    if (waitsFor !== undefined) return wait(`${stays}${waitsFor}`, askAgainMs);
    const paused = pauseOf(context);
    if (paused !== undefined) {
      const restMs = Math.min(askAgainMs, paused.restMs);
      return { ...wait(`${stays}${paused.words}`, restMs), ...atDeviceOf(paused) };
    }
    // As long as its device is busy, nothing else has to be looked at either.
    const inLine = isolation === undefined ? stillWaits(context, fencerInTurn(context)) : undefined;
    if (inLine !== undefined) return inLine;
  }
  const isOnlyAsked = isHarmless(context) && isolation === undefined;
  const live = await (isOnlyAsked ? readNodeUnlessSeen(context) : readLiveNode(context));
  if (live.state === 'alive') return letGoOf(live);
  if (live.state === 'gone') {
    const ended = await endedByOthers(context);
    if (ended !== undefined && !(await mayStillStop(context))) return ended;
  }
  // What partial proofs cover waits for nobody; the ladder goes on for the rest.
  const freed = isAccepted(ladderIn(context), 'isolated')
    ? await freeCovered(context)
    : { isolation, isDone: true };
  context.settled.delete(whatStays);
  if ('over' in freed) return freed.over;
  if (freed.isDone === true) context.settled.set(whatStays, staysWords(context, freed.isolation));
  const result = withIsolation(context, freed.isolation, await askFencers(context, live));
  // Whoever tells what it waits for must know where a human's word counts now.
  return live.state === 'gone' && result.outcome === 'wait'
    ? { ...result, findings: { ...result.findings, nodeGone: true } }
    : result;
};

/** What is waited for, with what stays meanwhile. */
function withIsolation(
  context: StepContext,
  isolation: Isolation | undefined,
  result: StepResult,
): StepResult {
  if (result.outcome !== 'wait' || isolation === undefined) return result;
  const now = result.findings?.isolation ?? isolation;
  return {
    ...result,
    detail: `${staysWords(context, now)}${result.detail}`,
    findings: { ...result.findings, isolation: now },
  };
}

function staysWords({ record }: StepContext, isolation: Isolation | undefined): string {
  const words = isolation === undefined ? '' : isolationWords({ ...record, isolation });
  return words === '' ? '' : `${words}; `;
}

/**
 * Whether a fencer that acts has its turn. What Kubernetes frees of a deleted Node it frees without a proof, and the machine may run
 * on beside what was made in its place: so the round is climbed to its end. One that is known to be up is left to people.
 */
async function mayStillStop(context: StepContext): Promise<boolean> {
  const { record, fencers } = context;
  const fencer = fencers.get(fencerInTurn(context));
  if (fencer === undefined || fencer.harmless === true) return false;
  if (record.policy.drivers.some((name) => !fencers.has(name))) return false;
  return (await signOfGoneHost(context)) === undefined;
}

/** As long as the watch caches show the node as it was, without a word of people on it, asking again comes to the same. */
function isAsBefore(context: StepContext): boolean {
  const { record, looks } = context;
  if (looks.sinceLookMs >= lookWhileWaitingEveryMs) return false;
  const { gone, noted } = context.nodeNow() ?? { gone: true };
  if (gone || noted === undefined || context.lifeSign() !== undefined) return false;
  return confirmationIn(noted.annotations, record.deathId, 'node') === undefined;
}

async function askFencers(
  context: StepContext,
  live: Exclude<LiveNode, { state: 'alive' }>,
): Promise<StepResult> {
  const { record, fencers } = context;
  const missing = record.policy.drivers.filter((name) => !fencers.has(name));
  // One that isn't there is an error, never somebody who has nothing against it.
  if (missing.length > 0) return held([unknownFencers(missing, context)]);
  const target = await targetOf(context, live);
  const ladder = ladderIn(context);
  const [only, another] = ladder.rungs;
  if (only === undefined) return withoutAny(context, ladder);
  // Nobody else has a turn that it would have to wait for, and nothing ends its own.
  return another === undefined && isHarmless(context) && ladder.giveUpAfterMs === undefined
    ? askTheOnlyOne(context, target, live, ladder)
    : climb(context, target, ladder);
}

/** Nobody can be asked. */
async function withoutAny(context: StepContext, { proof }: Ladder): Promise<StepResult> {
  const detail = 'no fencer is configured';
  return proof === 'optional' ? accepted(context, { proof: 'none', detail }) : wait(detail, retryFailedMs);
}

/** One that only waits, or has nothing against it: nothing has to be on record before it is asked, and no time of its own ends. */
async function askTheOnlyOne(
  context: StepContext,
  target: FenceTarget,
  live: Exclude<LiveNode, { state: 'alive' }>,
  ladder: Ladder,
): Promise<StepResult> {
  const permit = (): Promise<FencePermit> => askPermit(context, 'unless-seen');
  const asked = await askRung(context, target, ladder, { rung: 0, permit });
  if ('over' in asked) return asked.over;
  if ('calledOff' in asked) return wait(asked.calledOff, askAgainMs);
  const { result, fencer } = asked;
  const words = `${fencer.name}: ${result.detail}`;
  if (result.outcome === 'waiting' && live.state !== 'gone') context.settled.set(waitsForPeople, words);
  else context.settled.delete(waitsForPeople);
  if (result.outcome === 'failed' && ladder.proof === 'optional') {
    return accepted(context, { proof: 'none', detail: words });
  }
  return wait(words, result.outcome === 'waiting' ? result.retryAfterMs : retryFailedMs);
}

function unknownFencers(missing: readonly string[], { record, fencers }: StepContext): string {
  const known = [...fencers.keys()].join(', ') || 'none';
  return `policy "${record.policy.name}" names ${missing.map((name) => `"${name}"`).join(', ')}, which is no fencer here: there are ${known}`;
}
