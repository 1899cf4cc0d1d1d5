// Makes sure that the node can't write any more, by the policy's ladder of fencers, whether its Node is there or not.

import { notedOf } from '../../evidence/noted-node.ts';
import type { FenceTarget } from '../../fencing/fence-target.ts';
import { type ClimbResult, climbLadder } from '../../fencing/ladder.ts';
import { confirmationIn } from '../../fencing/manual.ts';
import { confirmOnRecordCommand, confirmWays } from '../../marks/confirmed.ts';
import { askPermit } from '../fence-permit.ts';
import { type LiveNode, letGoOf, readLiveNode, readNodeUnlessSeen } from '../life-signs.ts';
import { endedByOthers } from '../nothing-left.ts';
import { done, held, type PerformStep, type StepContext, type StepResult, wait } from '../step.ts';

/** For a human, whom nobody hurries. Their word and the node's return show in the watch caches, which cost nothing. */
const lookWhileWaitingEveryMs = 10_000;

/** What that is called among what is settled. */
const waitsForPeople = 'waits for people';

export const fence: PerformStep = async (context) => {
  const waitsFor = context.settled.get(waitsForPeople);
  if (waitsFor !== undefined && isAsBefore(context)) return wait(waitsFor, askAgainMs);
  const live = await (isHarmless(context) ? readNodeUnlessSeen(context) : readLiveNode(context));
  if (live.state === 'alive') return letGoOf(live);
  if (live.state === 'gone') {
    const ended = await endedByOthers(context);
    if (ended !== undefined) return ended;
  }
  const result = await askFencers(context, live);
  // Whoever tells what it waits for must know where a human's word counts now.
  return live.state === 'gone' && result.outcome === 'wait'
    ? { ...result, findings: { ...result.findings, nodeGone: true } }
    : result;
};

/** As long as the watch caches show the node as it was, without a word of people on it, asking again comes to the same. */
function isAsBefore(context: StepContext): boolean {
  const { record, looks } = context;
  if (looks.sinceLookMs >= lookWhileWaitingEveryMs) return false;
  const { gone, noted } = context.nodeNow() ?? { gone: true };
  if (gone || noted === undefined || context.lifeSign() !== undefined) return false;
  return confirmationIn(noted.annotations, record.deathId, 'node') === undefined;
}

/** None of its fencers touches the machine, or anything else: then nothing has to be on record, or looked at, before each. */
export function isHarmless({ record, fencers }: Pick<StepContext, 'record' | 'fencers'>): boolean {
  return record.policy.drivers.every((name) => fencers.get(name)?.harmless === true);
}

async function askFencers(
  context: StepContext,
  live: Exclude<LiveNode, { state: 'alive' }>,
): Promise<StepResult> {
  const { record, term, clock, fencers } = context;
  const { proof, drivers } = record.policy;
  const missing = drivers.filter((name) => !fencers.has(name));
  // One that isn't there is an error, never somebody who has nothing against it.
  if (missing.length > 0) return held([unknownFencers(missing, context)]);
  const target = await targetOf(context, live);
  const harmless = isHarmless(context);
  let asked = 0;
  // The first one is asked right after the look with which this step begins. What harms looks again by itself, right before.
  const permit = (): ReturnType<typeof askPermit> => {
    return askPermit(context, asked++ === 0 || harmless ? 'unless-seen' : 'always');
  };
  const result = await climbLadder(
    drivers.flatMap((name) => fencers.get(name) ?? []),
    target,
    { proof, signal: term.signal, clock, permit },
  );
  if (result.outcome === 'waiting') {
    if (harmless && live.state !== 'gone') context.settled.set(waitsForPeople, result.detail);
    else context.settled.delete(waitsForPeople);
    return wait(result.detail, result.retryAfterMs);
  }
  if (result.outcome === 'refused') return stopped(result, context);
  const by = result.proof === 'confirmed-by-human' ? target.confirmation?.by : undefined;
  return done(`proof: ${result.proof} (${result.detail})`, {
    proof: result.proof,
    ...(result.fencer !== undefined && { fencer: result.fencer }),
    ...(by !== undefined && { confirmedBy: by }),
  });
}

function unknownFencers(missing: readonly string[], { record, fencers }: StepContext): string {
  const known = [...fencers.keys()].join(', ') || 'none';
  return `policy "${record.policy.name}" names ${missing.map((name) => `"${name}"`).join(', ')}, which is no fencer here: there are ${known}`;
}

/** By what the node's machine can be found, and who has vouched for its death by now. */
async function targetOf(
  { record, cluster, term }: StepContext,
  live: Exclude<LiveNode, { state: 'alive' }>,
): Promise<FenceTarget> {
  const { deathId } = record;
  const { name, uid } = record.node;
  if (live.state === 'still-dead') {
    const node = live.node.object;
    const confirmation = confirmationIn(node.metadata.annotations, deathId, 'node');
    return {
      name,
      uid,
      deathId,
      noted: record.noted ?? notedOf(node),
      node,
      ...(confirmation && { confirmation }),
      howToConfirm: confirmWays(name, deathId),
    };
  }
  const noted = record.noted ?? nothingNoted;
  // What was said on the Node while it was there still holds. Since then there is nothing to say it on but the record.
  const onRecord = (await cluster.readRecord(term, record.id))?.annotations;
  const confirmation =
    confirmationIn(onRecord, deathId, 'record') ?? confirmationIn(noted.annotations, deathId, 'node');
  return {
    name,
    uid,
    deathId,
    noted,
    ...(confirmation && { confirmation }),
    howToConfirm: `liberator confirm ${name}, or ${confirmOnRecordCommand(cluster.recordAddress(record.id), deathId)}`,
  };
}

const nothingNoted: FenceTarget['noted'] = {
  machine: { systemUuid: '', machineId: '', providerId: '' },
  addresses: [],
  labels: {},
  annotations: {},
};

/** How often to ask the API server again what it didn't say. */
const askAgainMs = 1_000;

function stopped(
  { code, detail, despite }: Extract<ClimbResult, { outcome: 'refused' }>,
  { term }: StepContext,
): StepResult {
  const vouched =
    despite && `${despite.fencer ?? 'nobody'} vouches for "${despite.proof}" (${despite.detail})`;
  const words = vouched === undefined ? detail : `${detail}, although ${vouched}`;
  switch (code) {
    case 'alive':
      return { outcome: 'undo', detail: words };
    case 'overtaken':
      return { outcome: 'overtaken', detail: words };
    case 'held':
      return held([detail]);
    case 'policy':
      return wait(words, askAgainMs);
    default:
      term.assertValid();
      return wait(`nobody knows whether it is still dead: ${detail}`, askAgainMs);
  }
}
