// What a server that has too much to do asks of us, kept by all requests that go to it and not only by the one it told.
import type { Clock, Random } from '../time/clock.ts';
import { Backoff } from './backoff.ts';
import type { KubernetesError } from './errors.ts';
import type { Transport } from './transport.ts';
import { type Gate, WaitingLine } from './waiting-line.ts';

/** A server that asks for more patience than this is asked again all the same: nobody waits for ever on one word. */
const longestPauseMs = 60_000;
/** A pause is up to this much longer than asked for, so that replicas that were told the same don't come back together. */
const pauseJitter = 0.25;

/** The right to send one request. */
export interface Turn {
  /** What the server made of it: undefined when it served it, or refused for a reason of that request's own. */
  answered(error: KubernetesError | undefined): void;
  /** The request is over, however it ended. */
  leave(): void;
}

/**
 * Turned away is what gets a 429, or a 503 with a `Retry-After`. Then none of its kind, reads or writes, is sent for as
 * long as the server asked, up to a minute; without a word of that from 0.25 s to 16 s, doubled each time; always with
 * jitter. Afterwards one goes first, and each that is served lets one more go along. client-go lets each request wait for
 * itself alone, and a thousand that were turned away come back as a thousand.
 *
 * An eviction's 429 says nothing of the server: a PodDisruptionBudget refuses with the same status.
 */
export class ServerPatience {
  readonly #clock: Clock;
  readonly #reads: { readonly flow: Flow; readonly line: WaitingLine };
  readonly #writes: { readonly flow: Flow; readonly line: WaitingLine };

  /** @param atOnce how many of one kind may be under way: who only waits for a connection can't be held back any more */
  constructor(clock: Clock, random: Random, atOnce: number = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    const make = () => {
      const flow = new Flow(random, atOnce);
      return { flow, line: new WaitingLine(clock, flow) };
    };
    this.#reads = make();
    this.#writes = make();
  }

  async enter(isRead: boolean, signal: AbortSignal): Promise<Turn> {
    const { flow, line } = isRead ? this.#reads : this.#writes;
    const leave = await line.enter(signal);
    const { pauses } = flow;
    return {
      answered: (error) => {
        flow.answered({ error, pauses, now: this.#clock.now() });
        line.admit();
      },
      leave,
    };
  }
}

/** How many of one kind may be under way. */
class Flow implements Gate {
  readonly #random: Random;
  readonly #backoff: Backoff;
  readonly #widest: number;
  #width: number;
  #underWay = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  /** How often the server has asked for patience. */
  pauses = 0;

  constructor(random: Random, widest: number) {
    this.#random = random;
    this.#widest = widest;
    this.#width = widest;
    this.#backoff = new Backoff({ baseMs: 250, maxMs: 16_000 }, random);
  }

  waitMs(now: number): number {
    if (now < this.#pausedUntil) return this.#pausedUntil - now;
    return this.#underWay < this.#width ? 0 : Number.POSITIVE_INFINITY;
  }

  started(): void {
    this.#underWay += 1;
  }

  ended(): void {
    this.#underWay -= 1;
  }

  /** @param answer `pauses` as they were when the request was sent */
  answered(answer: {
    readonly error: KubernetesError | undefined;
    readonly pauses: number;
    readonly now: number;
  }): void {
    const { error, now } = answer;
    // Of all that were under way together the first one brings the news; the others only what the server asks of them.
    const isNews = answer.pauses === this.pauses;
    if (error !== undefined && isTurnedAway(error)) {
      this.#width = 1;
      this.#pausedUntil = Math.max(this.#pausedUntil, now + this.#pauseMs(error.retryAfterMs, isNews));
      if (isNews) this.pauses += 1;
    } else if (isNews) {
      this.#width = Math.min(this.#widest, this.#width + 1);
      this.#backoff.reset();
    }
  }

  #pauseMs(askedMs: number | undefined, isNews: boolean): number {
    if (askedMs) return Math.min(askedMs, longestPauseMs) * (1 + pauseJitter * this.#random.next());
    return isNews ? this.#backoff.next() : 0;
  }
}

function isTurnedAway({ status, retryAfterMs, call }: KubernetesError): boolean {
  if (call.subresource === 'eviction') return false;
  return status === 429 || (status === 503 && retryAfterMs !== undefined);
}

const patienceOf = new WeakMap<Transport, ServerPatience>();

/** The one of this transport: whoever sends through it is slowed with the others. */
export function serverPatience(transport: Transport, clock: Clock, random: Random): ServerPatience {
  let patience = patienceOf.get(transport);
  if (patience === undefined) {
    patience = new ServerPatience(clock, random, transport.maxConnections);
    patienceOf.set(transport, patience);
  }
  return patience;
}
