// Makes sure that the node can't write any more, by the policy's ladder of fencers, whether its Node is there or not.

import { notedOf } from '../../evidence/noted-node.ts';
import { askFencer } from '../../fencing/ask-fencer.ts';
import type { FencePermit, FenceRefusal } from '../../fencing/fence-context.ts';
import type { FenceTarget } from '../../fencing/fence-target.ts';
import type { FenceResult, Fencer } from '../../fencing/fencer.ts';
import {
  beginRung,
  type Climb,
  isAccepted,
  type Ladder,
  ladderOf,
  nextRung,
  noteAnswer,
  wordsOfRungs,
} from '../../fencing/ladder.ts';
import { confirmationIn, confirmedWords, manualFencer } from '../../fencing/manual.ts';
import type { FenceEvidence, FenceProof } from '../../fencing/proof.ts';
import { confirmOnRecordCommand, confirmWays } from '../../marks/confirmed.ts';
import { askPermit } from '../fence-permit.ts';
import { type LiveNode, letGoOf, readLiveNode, readNodeUnlessSeen } from '../life-signs.ts';
import { endedByOthers } from '../nothing-left.ts';
import type { TakeoverRecord } from '../record.ts';
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
  const { record, fencers } = context;
  const missing = record.policy.drivers.filter((name) => !fencers.has(name));
  // One that isn't there is an error, never somebody who has nothing against it.
  if (missing.length > 0) return held([unknownFencers(missing, context)]);
  const target = await targetOf(context, live);
  const ladder = ladderIn(context);
  const [only, another] = ladder.rungs;
  if (only === undefined) return withoutAny(context, ladder);
  // Nobody else has a turn that it would have to wait for.
  return another === undefined && isHarmless(context)
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
  const { result, fencer } = asked;
  const words = `${fencer.name}: ${result.detail}`;
  if (result.outcome === 'waiting' && live.state !== 'gone') context.settled.set(waitsForPeople, words);
  else context.settled.delete(waitsForPeople);
  if (result.outcome === 'failed' && ladder.proof === 'optional') {
    return accepted(context, { proof: 'none', detail: words });
  }
  return wait(words, result.outcome === 'waiting' ? result.retryAfterMs : retryFailedMs);
}

/** One turn of one rung, on record before its fencer is asked: the next leader goes on there. */
async function climb(context: StepContext, target: FenceTarget, ladder: Ladder): Promise<StepResult> {
  const { record } = context;
  const byHand = confirmedByHand(context, target);
  if (byHand !== undefined) return accepted(context, byHand, target);
  const next = nextRung(ladder, record.climb, context.spentMs());
  if (next.move === 'give-up') {
    const words = record.climb === undefined ? [] : wordsOfRungs(record.climb);
    return accepted(context, { proof: 'none', detail: words.join('; ') || 'nobody was asked' });
  }
  if (next.move === 'pause') {
    return wait(
      waitWords(record.climb, `the first of them is asked again`),
      Math.max(askAgainMs, Math.min(next.forMs, 10_000)),
    );
  }
  const begun = next.move === 'begin' ? begin(context, ladder, next) : record.climb;
  const fencer = context.fencers.get(ladder.rungs[next.rung]?.fencer ?? '');
  if (begun === undefined || fencer === undefined) return wait('the ladder changes', askAgainMs);
  if (next.move === 'begin' && fencer.harmless !== true && !(await context.putOnRecord({ climb: begun }))) {
    return wait('somebody else has the record', askAgainMs);
  }
  // What harms looks again by itself, right before.
  let asked = 0;
  const permit = (): Promise<FencePermit> =>
    askPermit(context, asked++ === 0 || fencer.harmless === true ? 'unless-seen' : 'always');
  const answer = await askRung(context, target, ladder, { rung: next.rung, permit, forMs: next.forMs });
  if ('over' in answer) return answer.over;
  return climbOn(context, begun, answer.result, next.forMs);
}

function begin(
  context: StepContext,
  ladder: Ladder,
  next: { readonly rung: number; readonly round: number },
): Climb {
  const { record, clock, term, spentMs } = context;
  const at = new Date(clock.wallTime()).toISOString();
  return beginRung(ladder, record.climb, next, { spentMs: spentMs(), at, epoch: term.epoch });
}

/** What a rung that gave no proof leaves to do. */
function climbOn(context: StepContext, begun: Climb, result: FenceResult, forMs: number): StepResult {
  const { detail } = result;
  const spentMs = context.spentMs();
  if (result.outcome === 'fenced') {
    const words = `vouches for "${result.proof}" (${detail}), which the policy does not accept`;
    const climb = noteAnswer(begun, { detail: words, end: 'not-accepted', spentMs });
    return { ...wait(waitWords(climb), askAgainSoonMs), findings: { climb } };
  }
  const isOver = result.outcome === 'failed' && result.permanent === true;
  const climb = noteAnswer(begun, { detail, spentMs, ...(isOver && { end: 'failed' }) });
  const words = waitWords(climb);
  if (isOver) return { ...wait(words, askAgainSoonMs), findings: { climb } };
  const pauseMs = result.outcome === 'waiting' ? result.retryAfterMs : pauseAfterFailure(context, begun);
  return { ...wait(words, Math.max(askAgainSoonMs, Math.min(pauseMs, forMs))), findings: { climb } };
}

/** Twice as long each time: a device that restarts is not helped by being asked. */
function pauseAfterFailure({ attempts, clock }: StepContext, { round, rung }: Climb): number {
  const what = `rung ${rung} of round ${round}`;
  attempts.note(what, clock.now());
  return Math.min(retryFailedMs, 1_000 * 2 ** Math.min(attempts.count(what) - 1, 10));
}

function waitWords(climb: Climb | undefined, instead = 'nobody has answered yet'): string {
  const words = climb === undefined ? [] : wordsOfRungs(climb);
  return words.join('; ') || instead;
}

/** A human's word counts whoever has the turn, where humans are on the ladder at all. */
function confirmedByHand(
  { record, fencers }: StepContext,
  { confirmation }: FenceTarget,
): Vouched | undefined {
  const name = manualFencer.name;
  if (confirmation === undefined || !record.policy.drivers.includes(name)) return undefined;
  if (fencers.get(name) !== manualFencer || record.policy.accept?.includes('confirmed-by-human') === false)
    return undefined;
  return { fencer: name, proof: 'confirmed-by-human', detail: confirmedWords(confirmation) };
}

interface Vouched {
  readonly fencer?: string;
  readonly proof: FenceProof;
  readonly detail: string;
  readonly evidence?: readonly FenceEvidence[];
  readonly csiDrivers?: readonly string[];
}

/** Looks, asks the fencer of one rung, and looks again if it gave a proof that counts. */
async function askRung(
  context: StepContext,
  target: FenceTarget,
  ladder: Ladder,
  {
    rung,
    permit,
    forMs,
  }: { readonly rung: number; readonly permit: () => Promise<FencePermit>; readonly forMs?: number },
): Promise<{ readonly over: StepResult } | { readonly fencer: Fencer; readonly result: FenceResult }> {
  const { term, clock, fencers } = context;
  const fencer = fencers.get(ladder.rungs[rung]?.fencer ?? '');
  if (fencer === undefined) return { over: wait('the ladder changes', askAgainMs) };
  const permitted = await permit();
  term.signal.throwIfAborted();
  if (permitted.outcome === 'refused') return { over: stopped(permitted, context) };
  const { result, refusal } = await askFencer(fencer, target, {
    signal: term.signal,
    clock,
    permit,
    ...(forMs !== undefined && {
      forMs,
      meanwhile: { everyMs: noteEveryMs, look: () => lookMeanwhile(context) },
    }),
  });
  if (result.outcome === 'fenced' && isAccepted(ladder, result.proof)) {
    return { over: await accepted(context, { ...result, fencer: fencer.name }, target) };
  }
  // What it wasn't allowed to do it hasn't failed at.
  return refusal === undefined ? { fencer, result } : { over: stopped(refusal, context) };
}

/** While a device thinks: the time that it took is put on record, and a human may have spoken. */
async function lookMeanwhile(context: StepContext): Promise<string | undefined> {
  const { record } = context;
  const { noted } = context.nodeNow() ?? {};
  const hasManual = record.policy.drivers.includes(manualFencer.name);
  if (hasManual && confirmationIn(noted?.annotations, record.deathId, 'node') !== undefined) {
    return 'a human vouches for the death meanwhile';
  }
  const sign = context.lifeSign();
  if (sign !== undefined) return `it lives: ${sign}`;
  await context.noteSpent();
  return undefined;
}

/**
 * The end of the step, unless the node shows life in spite of the proof. A brake that was put on meanwhile doesn't make a proof
 * untrue. A node that lives does, whatever the fencer did: either it has come back already, or it isn't the machine that was
 * switched off.
 */
async function accepted(context: StepContext, vouched: Vouched, target?: FenceTarget): Promise<StepResult> {
  const harmless = isHarmless(context);
  const permit = await askPermit(context, harmless ? 'unless-seen' : 'always');
  context.term.signal.throwIfAborted();
  if (permit.outcome === 'refused' && permit.code !== 'held') {
    return stopped(permit, context, vouched.proof === 'none' ? undefined : vouched);
  }
  const { proof, detail, fencer, evidence, csiDrivers } = vouched;
  const by = proof === 'confirmed-by-human' ? target?.confirmation?.by : undefined;
  return done(`proof: ${proof} (${detail})`, {
    proof,
    ...(fencer !== undefined && { fencer }),
    ...(evidence !== undefined && { proofEvidence: evidence }),
    ...(csiDrivers !== undefined && { isolatedFrom: csiDrivers }),
    ...(by !== undefined && { confirmedBy: by }),
  });
}

/** The record with its first rung begun, to be written together with the step: a step that acts is on record with whom it asks first. */
export function withFirstRung(
  record: TakeoverRecord,
  fencers: StepContext['fencers'],
  { at, epoch }: { readonly at: string; readonly epoch: number },
): TakeoverRecord {
  if (record.climb !== undefined || isHarmless({ record, fencers })) return record;
  const ladder = ladderIn({ record, fencers });
  const spentMs = record.steps.fence?.spentMs ?? 0;
  const next = nextRung(ladder, undefined, spentMs);
  return next.move === 'begin'
    ? { ...record, climb: beginRung(ladder, undefined, next, { spentMs, at, epoch }) }
    : record;
}

function ladderIn({ record, fencers }: Pick<StepContext, 'record' | 'fencers'>): Ladder {
  return ladderOf(record.policy, (name) => fencers.get(name)?.harmless === true);
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

/** Before the next rung has its turn. */
const askAgainSoonMs = 100;

/** The longest pause before a fencer that failed is asked again. */
const retryFailedMs = 10_000;

/** How often the time that a thinking device takes is put on record. */
const noteEveryMs = 10_000;

function stopped({ code, detail }: FenceRefusal, { term }: StepContext, despite?: Vouched): StepResult {
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
