// Asks one fencer whether it could fence a machine, and takes its answer for what it is: drivers are other people's code.
import type { Clock } from '../time/clock.ts';
import { printable, readableOf, thrownWords } from './answer.ts';
import { type FenceCheck, noDevice } from './fence-check.ts';
import type { FenceTarget } from './fence-target.ts';
import type { Fencer } from './fencer.ts';

/** How long a look at a device may take where neither the fencer nor whoever asks says otherwise: some think for 20 s. */
const checkWithinMs = 60_000;

/** What asking for a check needs beside the fencer. */
export interface AskingForCheck {
  /** Calls it off: then nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Times the answer. */
  readonly clock: Clock;
  /** How long the answer may take, in milliseconds. Default: {@link Fencer.timeoutMs}, or 60,000. */
  readonly timeoutMs?: number;
}

/**
 * Asks a fencer for a look that changes nothing. One that throws, never answers or answers something else is `not-ready`, and the
 * detail says so; one that has no `check` has no device that could be asked.
 *
 * @throws what `signal` aborted with.
 */
export async function checkFence(
  fencer: Fencer,
  target: FenceTarget,
  { signal, clock, timeoutMs = fencer.timeoutMs ?? checkWithinMs }: AskingForCheck,
): Promise<FenceCheck> {
  signal.throwIfAborted();
  if (fencer.check === undefined)
    return noDevice('it can not be checked: whether it works shows when it acts');
  const calledOff = new AbortController();
  const over = Promise.withResolvers<FenceCheck>();
  const timer = clock.setTimeout(() => {
    const detail = `no answer within ${timeoutMs / 1_000} s`;
    over.resolve(notReady(detail));
    calledOff.abort(new Error(`${fencer.name}: ${detail}`));
  }, timeoutMs);
  const onAbort = (): void => {
    over.resolve(notReady('called off'));
    calledOff.abort(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const asked = fencer.check(target, { signal: calledOff.signal, clock });
    const answer: unknown = await Promise.race([asked, over.promise]);
    signal.throwIfAborted();
    return readCheck(answer);
  } catch (error) {
    signal.throwIfAborted();
    return notReady(thrownWords(error));
  } finally {
    clock.clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

const outcomes: Readonly<Record<FenceCheck['outcome'], true>> = {
  ready: true,
  'not-ready': true,
  'no-device': true,
};
const machines: Readonly<Record<FenceCheck['machine'], true>> = {
  matched: true,
  chosen: true,
  mismatched: true,
  unknown: true,
};
const powers: Readonly<Record<FenceCheck['power'], true>> = { on: true, off: true, unknown: true };
const permissions: Readonly<Record<FenceCheck['mayAct'], true>> = { yes: true, no: true, unknown: true };

/** Nothing but what belongs to an answer. What contradicts itself is not ready: a fence rests on it. */
function readCheck(answer: unknown): FenceCheck {
  try {
    if (typeof answer !== 'object' || answer === null) return bug('no answer at all');
    const [outcome, machine, power, mayAct, words, evidence]: readonly unknown[] = [
      'outcome',
      'machine',
      'power',
      'mayAct',
      'detail',
      'evidence',
    ].map((name) => Reflect.get(answer, name));
    if (!isOneOf(outcomes, outcome)) return bug('no known outcome');
    if (typeof words !== 'string') return bug(`"${outcome}" without a detail`);
    const kept = readableOf(evidence);
    const check = {
      outcome,
      machine: isOneOf(machines, machine) ? machine : 'unknown',
      power: isOneOf(powers, power) ? power : 'unknown',
      mayAct: isOneOf(permissions, mayAct) ? mayAct : 'unknown',
      detail: printable(words),
      ...(kept.length > 0 && { evidence: kept }),
    } as const;
    if (outcome === 'ready' && (check.machine === 'mismatched' || check.mayAct === 'no')) {
      return { ...check, outcome: 'not-ready' };
    }
    return check;
  } catch {
    return bug('something that cannot be read');
  }
}

function isOneOf<K extends string>(all: Readonly<Record<K, true>>, value: unknown): value is K {
  return typeof value === 'string' && Object.hasOwn(all, value);
}

function notReady(detail: string): FenceCheck {
  return { outcome: 'not-ready', machine: 'unknown', power: 'unknown', mayAct: 'unknown', detail };
}

function bug(found: string): FenceCheck {
  return notReady(`a bug in the driver: it answered ${found}`);
}
