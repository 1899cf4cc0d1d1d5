// Asks a fencer as core would, notes each permit it is given, and compares them with what reached the device.
import { isDeepStrictEqual } from 'node:util';
import { sleep, systemClock } from '../../time/clock.ts';
import type { FenceCheck } from '../fence-check.ts';
import { type FenceContext, type FencePermit, refused } from '../fence-context.ts';
import type { FenceTarget } from '../fence-target.ts';
import type { FenceResult, Fencer, UnfenceResult } from '../fencer.ts';
import type { FencerBench, FencerScene } from './bench.ts';

/** What was found wrong with a driver, as a sentence. */
export class ConformanceError extends Error {
  override readonly name = 'ConformanceError';
  /** Tells it from other errors. */
  readonly code = 'LIBERATOR_FENCER_CONFORMANCE';
}

export function insist(holds: boolean, otherwise: () => string): asserts holds {
  if (!holds) throw new ConformanceError(otherwise());
}

/** What came of one question. A rejection is an answer here, since only one case is about those. */
export interface Answered<T extends Answer> {
  readonly outcome: T['outcome'] | 'rejected';
  /** Undefined when it was a rejection. */
  readonly answer: T | undefined;
  readonly error?: unknown;
}

interface Answer {
  readonly outcome: string;
  readonly detail: string;
}

export interface AskOptions {
  /** Default: granted for five seconds. */
  readonly permit?: () => FencePermit | Promise<FencePermit>;
  readonly signal?: AbortSignal;
  readonly target?: FenceTarget;
}

interface Grant {
  readonly at: number;
  readonly validForMs: number;
  /** How many harms had reached the device. */
  readonly after: number;
}

/** One fencer after another in one scene. */
export class Trial {
  readonly scene: FencerScene;
  readonly times: Required<Pick<FencerBench, 'clock' | 'slowMs' | 'arrivalMs' | 'graceMs' | 'patienceMs'>>;
  readonly #grants: Grant[] = [];

  constructor(bench: FencerBench, scene: FencerScene) {
    this.scene = scene;
    const { clock = systemClock, slowMs = 1_000, arrivalMs = 200, graceMs = 1_000 } = bench;
    this.times = { clock, slowMs, arrivalMs, graceMs, patienceMs: bench.patienceMs ?? 30_000 };
  }

  get target(): FenceTarget {
    return frozen(this.scene.target);
  }

  get wrongTarget(): FenceTarget {
    const { wrongTarget } = this.scene;
    insist(wrongTarget !== undefined, () => 'the bench gives no wrongTarget: say why under "except"');
    return frozen(wrongTarget);
  }

  fence(fencer: Fencer, options: AskOptions = {}): Promise<Answered<FenceResult>> {
    return this.#settled(() => fencer.fence(options.target ?? this.target, this.#context(options)));
  }

  unfence(fencer: Fencer, options: AskOptions = {}): Promise<Answered<UnfenceResult>> {
    const unfence = unfenceOf(fencer);
    return this.#settled(() => unfence(options.target ?? this.target, this.#context(options)));
  }

  check(
    fencer: Fencer,
    { target = this.target, signal = never() }: AskOptions = {},
  ): Promise<Answered<FenceCheck>> {
    insist(
      fencer.check !== undefined,
      () => 'it has no check, so it can not be drilled: say why under "except"',
    );
    const check = fencer.check.bind(fencer);
    return this.#settled(() => check(target, { signal, clock: this.times.clock }));
  }

  /** Asks for as long as it waits; what it came to. */
  untilFenced(fencer: Fencer, options: AskOptions = {}): Promise<Answered<FenceResult>> {
    return this.#until(() => this.fence(fencer, options));
  }

  /** Asks until it is fenced, or three times: what waits for ever is an answer, too. */
  async untilStill(fencer: Fencer): Promise<Answered<FenceResult>> {
    let answered = await this.fence(fencer);
    for (let times = 1; times < 3 && answered.outcome === 'waiting'; times++) {
      await this.wait(this.#pauseOf(answered.answer));
      answered = await this.fence(fencer);
    }
    return answered;
  }

  /** The same for taking it back. */
  untilUnfenced(fencer: Fencer, options: AskOptions = {}): Promise<Answered<UnfenceResult>> {
    return this.#until(() => this.unfence(fencer, options));
  }

  /** What came of it, or that nothing did within so long. */
  async within<T>(ms: number, work: Promise<T>): Promise<{ readonly value: T } | undefined> {
    const over = new AbortController();
    const late = sleep(this.times.clock, ms, over.signal).then(() => undefined);
    const value = work.then((value) => ({ value }));
    return Promise.race([value, late]).finally(() => over.abort());
  }

  wait(ms: number): Promise<boolean> {
    return sleep(this.times.clock, ms);
  }

  /** What harms without a permit of its own, or after that had ended; undefined when nothing does. */
  uncovered(mind: 'a permit each' | 'their time, too'): string | undefined {
    const left = [...this.#grants];
    for (const [place, { what, at }] of this.scene.harms().entries()) {
      const own = left.findIndex(
        ({ at: grantedAt, validForMs, after }) =>
          after <= place && (mind === 'a permit each' || at <= grantedAt + validForMs + this.times.arrivalMs),
      );
      if (own === -1) return what;
      left.splice(0, own + 1);
    }
    return undefined;
  }

  async #until<T extends Answer>(ask: () => Promise<Answered<T>>): Promise<Answered<T>> {
    const { clock, patienceMs } = this.times;
    const until = clock.now() + 4 * patienceMs;
    for (;;) {
      const answered = await ask();
      const { outcome, answer } = answered;
      if (outcome !== 'waiting' || clock.now() > until) return answered;
      await this.wait(this.#pauseOf(answer));
    }
  }

  /** @throws ConformanceError when there is never an answer: whoever waits for one would wait for ever. */
  async #settled<T extends Answer>(ask: () => Promise<T>): Promise<Answered<T>> {
    const asked = async (): Promise<Answered<T>> => {
      try {
        const answer = await ask();
        return { outcome: answer?.outcome, answer };
      } catch (error) {
        return { outcome: 'rejected', answer: undefined, error };
      }
    };
    const longestMs = 60_000 + 4 * this.times.patienceMs;
    const answered = await this.within(longestMs, asked());
    insist(answered !== undefined, () => `it never answered: ${longestMs} ms are over`);
    return answered.value;
  }

  /** What it asks for, within reason: whether that is a time at all is another case. */
  #pauseOf(answer: unknown): number {
    const retryAfterMs: unknown = Object(answer).retryAfterMs;
    const longestMs = 2 * this.times.arrivalMs;
    return typeof retryAfterMs === 'number' && retryAfterMs > 0
      ? Math.min(retryAfterMs, longestMs)
      : longestMs;
  }

  #context({ permit = granted(5_000), signal = never() }: AskOptions): FenceContext {
    return {
      clock: this.times.clock,
      signal,
      permit: async (): Promise<FencePermit> => {
        const answer = await permit();
        if (answer.outcome === 'granted') {
          const { validForMs } = answer;
          this.#grants.push({ at: this.times.clock.now(), validForMs, after: this.scene.harms().length });
        }
        return answer;
      },
    };
  }
}

/** A permit that is always granted. */
export function granted(validForMs: number): () => FencePermit {
  return () => ({ outcome: 'granted', validForMs });
}

/** A permit that is granted so many times, and then no more. */
export function grantedTimes(times: number): () => FencePermit {
  let left = times;
  return () =>
    left-- > 0 ? { outcome: 'granted', validForMs: 5_000 } : refused('alive', 'its Lease was renewed');
}

/** What it came to, for a sentence. */
export function wordsOf(answered: Answered<Answer> | undefined): string {
  if (answered === undefined) return 'no answer';
  const { outcome, answer, error } = answered;
  return answer === undefined ? `a rejection (${String(error)})` : `"${outcome}" (${answer.detail})`;
}

export function sameValue(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}

function unfenceOf(fencer: Fencer): NonNullable<Fencer['unfence']> {
  insist(fencer.unfence !== undefined, () => 'it has no unfence: say why under "except"');
  return fencer.unfence.bind(fencer);
}

function never(): AbortSignal {
  return new AbortController().signal;
}

/** Who changes what it was given changes what the next fencer is asked about. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) frozen(inner);
  }
  return value;
}
