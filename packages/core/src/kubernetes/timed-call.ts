// One request and its answer under time limits and a caller's signal, so that nothing waits for ever and no listener
// outlives its call.
import type { Clock, TimerHandle } from '../time/clock.ts';
import {
  type CallDescription,
  type KubernetesError,
  MalformedAnswerError,
  RequestAbortedError,
  RequestTimeoutError,
  type TimeoutPhase,
} from './errors.ts';
import type { Turn } from './server-patience.ts';
import type { Transport, TransportRequest, TransportResponse } from './transport.ts';

/** Time limits of one call. */
export interface CallLimits {
  /**
   * Until the response head: credentials (unless a person is waited for), connecting and the server's thinking included.
   * The wait for a turn is not.
   */
  readonly headMs: number;
  /** Between two pieces of the body. */
  readonly idleMs: number;
  /** For all of it. */
  readonly totalMs: number;
}

/** Made once: each error of its own would cost a stack trace per call. */
const callIsOver = new Error('the call is over');

/**
 * Use: `open`, then read `chunks` or `text`, and always `close`.
 *
 * Signals are linked by hand and unlinked in `close`: `AbortSignal.any` leaks on a signal that lives long, and
 * `AbortSignal.timeout` knows only real time.
 */
export class TimedCall {
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #description: CallDescription;
  readonly #limits: CallLimits;
  readonly #outer: AbortSignal | undefined;
  readonly #inner = new AbortController();
  readonly #timers = new Set<TimerHandle>();
  /** Stands still while a person is waited for, until the response head. */
  #total: TimerHandle | undefined;
  /** Until the response head: stands still while a person is waited for, and in a queue. */
  #head: TimerHandle | undefined;
  #turn: Turn | undefined;
  #failure: Error | undefined;
  #sent = false;
  #lastChunkAt = 0;

  constructor(
    transport: Transport,
    clock: Clock,
    description: CallDescription,
    limits: CallLimits,
    signal: AbortSignal | undefined,
  ) {
    this.#transport = transport;
    this.#clock = clock;
    this.#description = description;
    this.#limits = limits;
    this.#outer = signal;
  }

  /**
   * Sends the request when `turn`, if given, says that it may; resolves with the response head, whatever its status.
   */
  async open(
    request: Omit<TransportRequest, 'signal'>,
    turn?: (signal: AbortSignal) => Promise<Turn>,
  ): Promise<TransportResponse> {
    if (this.#outer?.aborted) throw this.#aborted();
    this.#outer?.addEventListener('abort', this.#onOuterAbort, { once: true });
    this.#startClock();
    try {
      this.#turn = turn && (await this.#queued(turn(this.#inner.signal)));
      return await this.#transport.send({
        ...request,
        signal: this.#inner.signal,
        beforeSend: () => {
          request.beforeSend?.();
          this.#sent = true;
        },
        untimed: (work) => this.#untimed(work),
        queued: (work) => this.#queued(work),
      });
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      this.#stopTimer(this.#head);
    }
  }

  #startClock(): void {
    this.#total = this.#startTimer(this.#limits.totalMs, () => this.#timeOut('total'));
    this.#startHead();
  }

  #startHead(): void {
    this.#head = this.#startTimer(this.#limits.headMs, () => this.#timeOut('head'));
  }

  /** Afterwards they begin anew: how long a person took says nothing of the server. */
  async #untimed<T>(work: Promise<T>): Promise<T> {
    this.#stopTimer(this.#total);
    this.#stopTimer(this.#head);
    try {
      return await work;
    } finally {
      if (this.#failure === undefined) this.#startClock();
    }
  }

  /** Our own line says nothing of the server; the caller waits all the same, so that the limit for all goes on. */
  async #queued<T>(work: Promise<T>): Promise<T> {
    this.#stopTimer(this.#head);
    try {
      return await work;
    } finally {
      if (this.#failure === undefined) this.#startHead();
    }
  }

  /** The body's pieces, each within the idle limit of the one before. */
  async *chunks(response: TransportResponse): AsyncGenerator<Uint8Array, void, undefined> {
    this.#lastChunkAt = this.#clock.now();
    this.#watchIdle(this.#limits.idleMs);
    try {
      for await (const chunk of response.body) {
        if (this.#failure !== undefined) break;
        this.#lastChunkAt = this.#clock.now();
        yield chunk;
      }
    } catch (error) {
      throw this.#failure ?? error;
    }
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * The whole body as text.
   *
   * @param shorten applied to its bytes before. Default: leaves them as they are.
   */
  async text(
    response: TransportResponse,
    maxBytes: number,
    shorten: (body: Buffer) => Buffer = (body) => body,
  ): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of this.chunks(response)) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) {
        throw new MalformedAnswerError(this.#description, `the answer is larger than ${maxBytes} bytes`);
      }
      chunks.push(chunk);
    }
    return shorten(Buffer.concat(chunks, bytes)).toString('utf8');
  }

  /** Tells those that wait for the same server what it made of this one. */
  answered(error: KubernetesError | undefined): void {
    this.#turn?.answered(error);
  }

  /** Lets go of the signal, the timers and, when the answer was not read to its end, the connection. */
  close(): void {
    this.#outer?.removeEventListener('abort', this.#onOuterAbort);
    for (const timer of this.#timers) this.#clock.clearTimeout(timer);
    this.#timers.clear();
    this.#failure ??= callIsOver;
    this.#inner.abort(this.#failure);
    this.#turn?.leave();
  }

  readonly #onOuterAbort = (): void => this.#fail(this.#aborted());

  #aborted(): RequestAbortedError {
    return new RequestAbortedError(this.#description, this.#sent, this.#outer?.reason);
  }

  #timeOut(phase: TimeoutPhase): void {
    this.#fail(new RequestTimeoutError(this.#description, phase, this.#limits[`${phase}Ms`], this.#sent));
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    this.#inner.abort(this.#failure);
  }

  /** One timer that looks when the last piece came, instead of one timer per piece. */
  #watchIdle(delayMs: number): void {
    this.#startTimer(delayMs, () => {
      const remainingMs = this.#lastChunkAt + this.#limits.idleMs - this.#clock.now();
      if (remainingMs <= 0) this.#timeOut('idle');
      else this.#watchIdle(remainingMs);
    });
  }

  #startTimer(delayMs: number, callback: () => void): TimerHandle {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer);
      callback();
    }, delayMs);
    this.#timers.add(timer);
    return timer;
  }

  #stopTimer(timer: TimerHandle | undefined): void {
    if (timer === undefined) return;
    this.#timers.delete(timer);
    this.#clock.clearTimeout(timer);
  }
}
