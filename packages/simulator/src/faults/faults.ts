// Trouble on demand: a layer in front of the API server's handler that makes chosen requests fail in chosen ways.
import { type Clock, type Random, sleep, type TimerHandle } from '@liberator/core';
import { failure } from '../http/handler.ts';
import { type ApiHandler, type ApiRequest, type ApiResponse, bytesOf, NoAnswer } from '../http/request.ts';
import { Exchange } from './exchange.ts';
import { type Fault, type FaultEffect, factsOf, matches, type RequestFacts } from './fault.ts';
import { expiredStatus, injectedAnswer } from './injected-answer.ts';

/** Options of {@link Faults}. */
export interface FaultsOptions {
  /** What durations are counted on. */
  readonly clock: Clock;
  /** Decides where a fault has a probability, and draws jitter. */
  readonly random: Random;
  /** The newest resourceVersion: a stale server stays at the one of the moment. */
  readonly currentVersion: () => number;
}

/** A fault at work. */
interface ActiveFault {
  readonly fault: Fault;
  readonly since: number;
  /** The resourceVersion at which it came. */
  readonly version: number;
  timesLeft: number;
  timer: TimerHandle | undefined;
  readonly timers: Set<TimerHandle>;
  readonly gone: AbortController;
}

/**
 * The faults of one API server. They may be added and removed at any time, and combined: delays add up, and of those
 * that end a request the first one added wins.
 *
 * @example The answer to the next renewal of a Lease is lost
 * ```ts
 * cluster.faults.add({ match: { resource: 'leases', verb: 'update' }, effect: { kind: 'drop', moment: 'after' }, times: 1 });
 * ```
 * @example One client can't reach the API for a minute
 * ```ts
 * cluster.faults.add({ match: { user: 'agent-1' }, effect: { kind: 'hang' }, forMs: 60_000 });
 * ```
 */
export class Faults {
  readonly #options: FaultsOptions;
  readonly #active = new Set<ActiveFault>();
  readonly #exchanges = new Set<Exchange>();

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Starts a fault; the function that it returns ends it, once. @throws RangeError for numbers that make no sense. */
  add(fault: Fault): () => void {
    checkFault(fault);
    const { clock, currentVersion } = this.#options;
    const active: ActiveFault = {
      fault,
      since: clock.now(),
      version: currentVersion(),
      timesLeft: fault.times ?? Number.POSITIVE_INFINITY,
      timer: undefined,
      timers: new Set(),
      gone: new AbortController(),
    };
    this.#active.add(active);
    if (fault.forMs !== undefined) active.timer = clock.setTimeout(() => this.#remove(active), fault.forMs);
    for (const exchange of this.#exchanges) {
      if (matches(fault.match ?? {}, exchange.facts)) this.#actOnOpen(active, exchange);
    }
    return () => this.#remove(active);
  }

  /** Ends all faults. */
  clear(): void {
    for (const active of [...this.#active]) this.#remove(active);
  }

  /** Puts the faults in front of `handler`. */
  wrap(handler: ApiHandler): ApiHandler {
    return async (request) => {
      const exchange = new Exchange(factsOf(request), request.signal);
      const effects = this.#effectsFor(exchange.facts);
      this.#exchanges.add(exchange);
      const done = (): void => {
        this.#exchanges.delete(exchange);
      };
      // A body that nobody begins to read has no end to be noticed by.
      request.signal.addEventListener('abort', done, { once: true });
      try {
        const response = await this.#exchange(handler, request, exchange, effects);
        const halfway = effects.some(
          ({ fault: { effect } }) => effect.kind === 'drop' && effect.moment === 'within',
        );
        return { ...response, body: exchange.carry(response.body, halfway, done) };
      } catch (error) {
        done();
        throw error;
      }
    };
  }

  async #exchange(
    handler: ApiHandler,
    request: ApiRequest,
    exchange: Exchange,
    active: readonly ActiveFault[],
  ): Promise<ApiResponse> {
    let staleAt: number | undefined;
    let arriving = request;
    for (const one of active) {
      const { effect } = one.fault;
      if (effect.kind === 'delay' && effect.outlivesSender) {
        arriving = { ...request, signal: new AbortController().signal };
        await this.#delay(effect, arriving.signal);
      } else if (effect.kind === 'delay') {
        await exchange.unlessBroken(this.#delay(effect, request.signal));
      }
      if (effect.kind === 'hang') this.#silence(one, exchange);
      if (effect.kind === 'stale') staleAt = one.version;
    }
    await exchange.untilAudible();
    for (const { fault } of active) {
      const answer = endBeforeServer(fault.effect, exchange.facts, request);
      if (answer !== undefined) return answer;
    }
    const response = await exchange.unlessBroken(
      handler(staleAt === undefined ? arriving : { ...arriving, staleAt }),
    );
    if (active.some(({ fault: { effect } }) => effect.kind === 'drop' && effect.moment === 'after')) {
      throw new NoAnswer('expected an answer, found the connection broken', { sent: true });
    }
    for (const one of active) {
      const { kind } = one.fault.effect;
      if (kind === 'stall' || kind === 'cut') this.#actOnOpen(one, exchange);
    }
    return response;
  }

  /** The faults that happen to a new request; each is counted. */
  #effectsFor(facts: RequestFacts): ActiveFault[] {
    const { random } = this.#options;
    return [...this.#active].filter((active) => {
      const { match = {}, probability = 1 } = active.fault;
      if (!matches(match, facts) || !concerns(active.fault.effect, facts)) return false;
      if (probability < 1 && random.next() >= probability) return false;
      active.timesLeft -= 1;
      // It still happens to this request, only to none after it.
      if (active.timesLeft <= 0) this.#active.delete(active);
      return true;
    });
  }

  /** What a fault does to a request that is already being answered. */
  #actOnOpen(active: ActiveFault, exchange: Exchange): void {
    const { effect } = active.fault;
    switch (effect.kind) {
      case 'refuse':
        exchange.break('expected the server to go on, found it gone', { sent: true });
        break;
      case 'hang':
        this.#silence(active, exchange);
        break;
      case 'stall':
        if (exchange.isWatch) this.#later(active, effect.afterMs, () => this.#silence(active, exchange));
        break;
      case 'cut':
        if (exchange.isWatch) {
          const cut = (): void => exchange.break('expected the watch to go on, found it cut', { sent: true });
          this.#later(active, effect.afterMs, cut);
        }
        break;
      default:
        break;
    }
  }

  #silence(active: ActiveFault, exchange: Exchange): void {
    if (active.gone.signal.aborted) return;
    exchange.silence(active);
    active.gone.signal.addEventListener('abort', () => exchange.unsilence(active), { once: true });
  }

  #later(active: ActiveFault, afterMs: number | undefined, act: () => void): void {
    if (!afterMs) {
      act();
      return;
    }
    const timer = this.#options.clock.setTimeout(() => {
      active.timers.delete(timer);
      act();
    }, afterMs);
    active.timers.add(timer);
  }

  async #delay(effect: Extract<FaultEffect, { kind: 'delay' }>, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const jitterMs = effect.jitterMs === undefined ? 0 : effect.jitterMs * random.next();
    await sleep(clock, effect.ms + jitterMs, signal);
  }

  #remove(active: ActiveFault): void {
    this.#active.delete(active);
    this.#options.clock.clearTimeout(active.timer);
    for (const timer of active.timers) this.#options.clock.clearTimeout(timer);
    active.timers.clear();
    active.gone.abort();
  }
}

/** Effects that only make sense for some requests aren't spent on others. */
function concerns(effect: FaultEffect, { verb }: RequestFacts): boolean {
  switch (effect.kind) {
    case 'stall':
    case 'cut':
      return verb === 'watch';
    case 'stale':
      return verb === 'list';
    case 'expire':
      return verb === 'watch' || verb === 'list';
    default:
      return true;
  }
}

/** The answer of a fault that keeps the request from the server; undefined when it gets there. */
function endBeforeServer(
  effect: FaultEffect,
  facts: RequestFacts,
  request: ApiRequest,
): ApiResponse | undefined {
  switch (effect.kind) {
    case 'refuse':
      throw new NoAnswer('expected a server, found the connection refused', { sent: false });
    case 'drop':
      if (effect.moment !== 'before') return undefined;
      throw new NoAnswer('expected an answer, found the connection broken', { sent: true });
    case 'answer':
      return injectedAnswer(effect, facts);
    case 'expire':
      return expiredAnswer(facts, request);
    default:
      return undefined;
  }
}

/** Whoever starts from the present is not concerned. */
function expiredAnswer({ verb }: RequestFacts, { path }: ApiRequest): ApiResponse | undefined {
  const query = new URL(path, 'http://embedded').searchParams;
  const version = query.get('resourceVersion') ?? '';
  const expired = expiredStatus();
  if (verb === 'list') return query.get('continue') ? failure(expired) : undefined;
  if (version === '' || version === '0') return undefined;
  const line = `${JSON.stringify({ type: 'ERROR', object: expired.status })}\n`;
  return { status: 200, headers: { 'content-type': 'application/json' }, body: only(bytesOf(line)) };
}

async function* only(chunk: Uint8Array): AsyncGenerator<Uint8Array> {
  yield chunk;
}

function checkFault({ probability = 1, times = 1, forMs = 0 }: Fault): void {
  if (!(probability >= 0 && probability <= 1)) {
    throw new RangeError(`expected a probability from 0 to 1, found ${probability}`);
  }
  if (!(times >= 1))
    throw new RangeError(`expected times of at least 1, found ${times}: leave it out for no limit`);
  if (!(forMs >= 0)) throw new RangeError(`expected forMs of at least 0, found ${forMs}`);
}
