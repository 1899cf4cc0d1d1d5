// Asks one fencer once, for no longer than it may take: a driver is other people's code, and its device may never answer.
import type { Clock } from '../time/clock.ts';
import { checkedAnswer, thrownWords } from './answer.ts';
import { type FencePermit, type FenceRefusal, refused } from './fence-context.ts';
import type { FenceTarget } from './fence-target.ts';
import type { FenceResult, Fencer } from './fencer.ts';
import type { GuardedResources } from './guarded-resources.ts';

/** See {@link Fencer.timeoutMs}. */
const answerWithinMs = 60_000;

/** Timers know no longer times. */
const longestMs = 2 ** 31 - 1;

/** However soon a driver wants to be asked again: each time costs requests to the API server. */
const askAgainMs = 100;

/** What asking a fencer needs beside it. */
export interface Asking {
  /** The term's: nothing is asked, or waited for, beyond its end. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Whether anything that harms may be done at this moment, by a live look. Rejects when nobody can tell. */
  readonly permit: () => Promise<FencePermit>;
  /** What it may write to in Kubernetes, under a permit that ends with the call. Absent: nothing. */
  readonly resources?: (rules: {
    readonly permit: () => Promise<FencePermit>;
    readonly signal: AbortSignal;
  }) => GuardedResources;
  /** For how long its rung has time left, in milliseconds. */
  readonly forMs?: number;
  /** Called every now and then while it thinks; a text calls it off, and says why. */
  readonly meanwhile?: { readonly everyMs: number; readonly look: () => Promise<string | undefined> };
}

/** What came of it. */
export interface Asked {
  readonly result: FenceResult;
  /** Why it was not allowed to act, if it asked and wasn't. */
  readonly refusal: FenceRefusal | undefined;
  /** Why it was called off by a look meanwhile, if it was: then its result says nothing about it. */
  readonly calledOff?: string;
  /** The time of its rung was up before it answered: what it said before tells more. */
  readonly isCut?: true;
}

/**
 * A driver with a bug, or a device that never answers, must keep neither the drivers after it from being asked nor a term
 * from ending. Once it was given up it gets no permit any more: another driver may be at work by then.
 *
 * Rejects only when the term ended.
 */
export async function askFencer(fencer: Fencer, target: FenceTarget, asking: Asking): Promise<Asked> {
  const { signal: term, clock } = asking;
  term.throwIfAborted();
  const calledOff = new AbortController();
  const over = Promise.withResolvers<FenceResult>();
  let open = true;
  let why: string | undefined;
  let refusal: FenceRefusal | undefined;
  let cut: Pick<Asked, 'isCut'> = {};
  const stop = (detail: string, reason: unknown): void => {
    open = false;
    over.resolve({ outcome: 'failed', detail });
    calledOff.abort(reason);
  };
  const permit = async (): Promise<FencePermit> => {
    const answer = open ? await permitOf(asking) : undefined;
    if (!open || answer === undefined) return refused('called-off', 'nobody waits for this answer any more');
    refusal = answer.outcome === 'refused' ? answer : undefined;
    return answer;
  };
  const onEnd = (): void => stop('the term ended', term.reason);
  term.addEventListener('abort', onEnd, { once: true });
  const withinMs = Math.min(patienceWith(fencer), asking.forMs ?? longestMs);
  const timer = clock.setTimeout(() => {
    if (withinMs < patienceWith(fencer)) cut = { isCut: true };
    // Of the same words each time, but for the number: they become news whenever they change.
    const detail = `no answer within ${Math.ceil(withinMs / 1_000)} s`;
    stop(detail, new Error(`${fencer.name}: ${detail}`));
  }, withinMs);
  const look = lookMeanwhile(asking, (detail) => {
    why = detail;
    stop(detail, new Error(detail));
  });
  try {
    const { signal } = calledOff;
    const resources = asking.resources?.({ permit, signal });
    const asked = fencer.fence(target, { signal, clock, permit, ...(resources && { resources }) });
    const result = checkedAnswer(await Promise.race([asked, over.promise]));
    term.throwIfAborted();
    return {
      result: withPause(result),
      refusal,
      ...(why !== undefined && { calledOff: why }),
      ...(result.outcome !== 'fenced' && cut),
    };
  } catch (error) {
    term.throwIfAborted();
    const result: FenceResult = { outcome: 'failed', detail: thrownWords(error) };
    return { result, refusal, ...(why !== undefined && { calledOff: why }) };
  } finally {
    open = false;
    clock.clearTimeout(timer);
    look.stop();
    term.removeEventListener('abort', onEnd);
  }
}

function patienceWith({ timeoutMs = answerWithinMs }: Fencer): number {
  return timeoutMs > 0 ? Math.min(timeoutMs, longestMs) : answerWithinMs;
}

function withPause(result: FenceResult): FenceResult {
  return result.outcome === 'waiting'
    ? { ...result, retryAfterMs: Math.max(askAgainMs, result.retryAfterMs) }
    : result;
}

function lookMeanwhile({ clock, meanwhile }: Asking, callOff: (why: string) => void): { stop: () => void } {
  if (meanwhile === undefined) return { stop: () => undefined };
  let timer: ReturnType<Clock['setTimeout']> | undefined;
  let stopped = false;
  const again = (): void => {
    timer = clock.setTimeout(() => {
      // What can't be looked at now is looked at the next time.
      meanwhile.look().then(
        (why) => {
          if (stopped) return;
          if (why === undefined) again();
          else callOff(why);
        },
        () => {
          if (!stopped) again();
        },
      );
    }, meanwhile.everyMs);
  };
  again();
  return {
    stop: () => {
      stopped = true;
      if (timer !== undefined) clock.clearTimeout(timer);
    },
  };
}

async function permitOf({ permit }: Asking): Promise<FencePermit> {
  try {
    return await permit();
  } catch (error) {
    return refused('unknown', thrownWords(error));
  }
}
