// One HTTP request to a device or to whoever stands for it, and its answer: bounded in time and size, and ended for certain.
import type { Dispatcher } from 'undici';
import type { Clock } from '../../time/clock.ts';
import { networkTrouble, Trouble } from './device-trouble.ts';

/** No resource that is read here is longer than a tenth of it. */
const longestBodyBytes = 1_048_576;

export type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** What came back. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  /** The status came and the body did not, or not whole. */
  readonly broken?: Trouble;
}

export interface ExchangeOptions {
  readonly dispatcher: Dispatcher;
  readonly request: {
    readonly origin: string;
    readonly path: string;
    readonly method: 'GET' | 'POST';
    readonly headers: Record<string, string>;
    readonly body?: string;
  };
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
  /** Called at the moment at which the first byte would leave: what it throws keeps it here. */
  readonly beforeSend?: () => void;
}

/** Rejects with a {@link Trouble}, with what `beforeSend` threw, or with the signal's reason. */
export function exchange(options: ExchangeOptions): Promise<RawAnswer> {
  const { dispatcher, request, signal } = options;
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const handler = new Exchange(options, resolve, reject);
    dispatcher.dispatch(
      { ...request, body: request.body ?? null, headersTimeout: 0, bodyTimeout: 0 },
      handler,
    );
  });
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions;
  readonly #resolve: (answer: RawAnswer) => void;
  readonly #reject: (error: unknown) => void;
  readonly #timer: ReturnType<Clock['setTimeout']>;
  readonly #chunks: Buffer[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #head: Pick<RawAnswer, 'status' | 'headers'> | undefined;
  #length = 0;
  #stopped: { readonly reason: unknown } | undefined;

  constructor(
    options: ExchangeOptions,
    resolve: (answer: RawAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    const { clock, timeoutMs, signal } = options;
    // What is left of an answer's time differs from one to the next: words that do so, too, would be news each time.
    const seconds = timeoutMs < 1_000 ? timeoutMs / 1_000 : Math.ceil(timeoutMs / 1_000);
    this.#timer = clock.setTimeout(() => this.#stop(new Trouble(`no answer within ${seconds} s`)), timeoutMs);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** undici calls this right before it writes the head: what throws here writes nothing. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#stopped !== undefined) throw asError(this.#stopped.reason);
    try {
      this.#options.beforeSend?.();
    } catch (error) {
      this.#stopped = { reason: error };
      throw asError(error);
    }
    this.#controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    if (status >= 200) this.#head = { status, headers };
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#length += chunk.length;
    if (this.#length > longestBodyBytes) {
      this.#chunks.length = 0;
      this.#stop(new Trouble(`an answer of more than ${longestBodyBytes} bytes`));
    } else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#over();
    if (this.#head !== undefined) this.#resolve({ ...this.#head, body: Buffer.concat(this.#chunks) });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#fail(this.#stopped === undefined ? networkTrouble(error) : this.#stopped.reason);
  }

  readonly #onAbort = (): void => this.#stop(this.#options.signal.reason);

  #stop(reason: unknown): void {
    this.#stopped ??= { reason };
    this.#fail(reason);
    this.#controller?.abort(asError(reason));
  }

  #fail(reason: unknown): void {
    this.#over();
    if (this.#head === undefined || !(reason instanceof Trouble)) this.#reject(reason);
    else this.#resolve({ ...this.#head, body: Buffer.alloc(0), broken: reason });
  }

  #over(): void {
    this.#options.clock.clearTimeout(this.#timer);
    this.#options.signal.removeEventListener('abort', this.#onAbort);
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('stopped', { cause: reason });
}
