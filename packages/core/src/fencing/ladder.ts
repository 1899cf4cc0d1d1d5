// Tries fencers in order until one gives a proof that satisfies the policy, looking before each whether it still may.
import type { Clock } from '../time/clock.ts';
import { checkedAnswer } from './answer.ts';
import { type FencePermit, type FenceRefusal, refused } from './fence-context.ts';
import type { FenceTarget } from './fence-target.ts';
import type { FenceProof, FenceResult, Fencer } from './fencer.ts';

/** How long to wait before the whole ladder is tried again after every driver failed. */
const retryFailedMs = 10_000;

/** See {@link Fencer.timeoutMs}. */
const answerWithinMs = 60_000;

/** However soon a driver wants to be asked again: each time costs requests to the API server. */
const askAgainMs = 100;

/** What a climb needs beside the fencers. */
export interface Climb {
  readonly proof: 'required' | 'optional';
  /** The term's: nothing is asked, or waited for, beyond its end. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Whether anything that harms may be done at this moment, by a live look. Rejects when nobody can tell. */
  readonly permit: () => Promise<FencePermit>;
}

/** What one fencer vouched for. */
interface FencerProof {
  /** Which one; absent when the policy does without any. */
  readonly fencer?: string;
  readonly proof: FenceProof;
  readonly detail: string;
}

/** What a climb came to. */
export type ClimbResult =
  | ({ readonly outcome: 'fenced' } & FencerProof)
  | Extract<FenceResult, { outcome: 'waiting' }>
  /** Stopped. With what a fencer had vouched for, if the node showed life in spite of that. */
  | (FenceRefusal & { readonly despite?: FencerProof });

/**
 * The first satisfying proof wins. Without one: waits if any driver waits, or if a proof is required; else goes on
 * with the proof `none`, saying what failed.
 *
 * Life, brakes and the term are asked before each fencer, and life once more before its proof counts. A brake that was put on
 * meanwhile doesn't make a proof untrue. A node that lives does, whatever the fencer did: either it has come back already, or it isn't the
 * machine that was switched off.
 */
export async function climbLadder(
  fencers: readonly Fencer[],
  target: FenceTarget,
  climb: Climb,
): Promise<ClimbResult> {
  const details: string[] = [];
  let retryAfterMs = retryFailedMs;
  let waiting = false;
  for (const fencer of fencers) {
    const permit = await ask(climb);
    if (permit.outcome === 'refused') return permit;
    const { result, refusal } = await attempt(fencer, target, climb);
    climb.signal.throwIfAborted();
    if (result.outcome === 'fenced' && (result.proof !== 'none' || climb.proof === 'optional')) {
      return confirmed({ fencer: fencer.name, proof: result.proof, detail: result.detail }, climb);
    }
    // What it wasn't allowed to do it hasn't failed at.
    if (refusal !== undefined) return refusal;
    details.push(`${fencer.name}: ${result.detail}`);
    if (result.outcome === 'waiting') {
      waiting = true;
      retryAfterMs = Math.min(retryAfterMs, Math.max(askAgainMs, result.retryAfterMs));
    }
  }
  const detail = details.join('; ') || 'no fencer is configured';
  if (climb.proof === 'optional' && !waiting) return confirmed({ proof: 'none', detail }, climb);
  return { outcome: 'waiting', detail, retryAfterMs };
}

async function ask({ permit, signal }: Climb): Promise<FencePermit> {
  signal.throwIfAborted();
  const answer = await permit();
  signal.throwIfAborted();
  return answer;
}

/** The proof, unless the node shows life in spite of it. */
async function confirmed(found: FencerProof, climb: Climb): Promise<ClimbResult> {
  const permit = await ask(climb);
  if (permit.outcome === 'refused' && permit.code !== 'held') {
    return found.proof === 'none' ? permit : { ...permit, despite: found };
  }
  return { outcome: 'fenced', ...found };
}

interface Attempt {
  readonly result: FenceResult;
  /** Why it was not allowed to act, if it asked and wasn't. */
  readonly refusal: FenceRefusal | undefined;
}

/**
 * A driver with a bug, or a device that never answers, must keep neither the drivers after it from being asked nor a term
 * from ending. Once it was given up it gets no permit any more: another driver may be at work by then.
 */
async function attempt(fencer: Fencer, target: FenceTarget, climb: Climb): Promise<Attempt> {
  const { signal: term, clock } = climb;
  const { timeoutMs = answerWithinMs } = fencer;
  const calledOff = new AbortController();
  const over = Promise.withResolvers<FenceResult>();
  let open = true;
  let refusal: FenceRefusal | undefined;
  const stop = (detail: string, reason: unknown): void => {
    open = false;
    over.resolve({ outcome: 'failed', detail });
    calledOff.abort(reason);
  };
  const permit = async (): Promise<FencePermit> => {
    const answer = open ? await permitOf(climb) : undefined;
    if (!open || answer === undefined) return refused('called-off', 'nobody waits for this answer any more');
    refusal = answer.outcome === 'refused' ? answer : undefined;
    return answer;
  };
  const onEnd = (): void => stop('the term ended', term.reason);
  term.addEventListener('abort', onEnd, { once: true });
  const timer = clock.setTimeout(() => {
    const detail = `no answer within ${timeoutMs / 1_000} s`;
    stop(detail, new Error(`${fencer.name}: ${detail}`));
  }, timeoutMs);
  try {
    const asked = fencer.fence(target, { signal: calledOff.signal, permit });
    return { result: checkedAnswer(await Promise.race([asked, over.promise])), refusal };
  } catch (error) {
    return { result: { outcome: 'failed', detail: messageOf(error) }, refusal };
  } finally {
    open = false;
    clock.clearTimeout(timer);
    term.removeEventListener('abort', onEnd);
  }
}

async function permitOf({ permit }: Climb): Promise<FencePermit> {
  try {
    return await permit();
  } catch (error) {
    return refused('unknown', messageOf(error));
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}
