// The body of one answer as an async iterable with back-pressure, without the cost of a Node.js stream per request.
import type { Clock, TimerHandle } from '../time/clock.ts';

/** What a body can do to the connection that it arrives on. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Nobody reads on: free the connection. */
  cancel(reason: Error): void;
}

/** A reader this far behind stops the connection from reading more. */
const highWaterBytes = 256 * 1024;

/** How a body is read that comes in very many small pieces. */
export interface ReadingRests {
  readonly clock: Clock;
  readonly restMs: number;
}

export class ResponseBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #source: BodySource;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  readonly #rests: ReadingRests | undefined;
  #isFull = false;
  #isResting = false;
  #isPaused = false;
  /** A look whether the connection has run dry is due. */
  #isLooking = false;
  #cameSinceLook = false;
  #timer: TimerHandle | undefined;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;
  #waiting:
    | { resolve(result: IteratorResult<Uint8Array, undefined>): void; reject(reason: unknown): void }
    | undefined;

  constructor(source: BodySource, rests?: ReadingRests) {
    this.#source = source;
    this.#rests = rests;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended || this.#failure !== undefined) return;
    if (this.#rests !== undefined) this.#restWhenDry();
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.byteLength;
    if (this.#bufferedBytes >= highWaterBytes) {
      this.#isFull = true;
      this.#pauseOrResume();
    }
  }

  end(): void {
    this.#ended = true;
    this.#wake();
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** What arrived before is thrown away: a caller that aborted wants no more of it. */
  fail(reason: unknown): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#failure = { reason };
    this.#wake();
    this.#chunks = [];
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bufferedBytes -= chunk.byteLength;
      if (this.#isFull && this.#bufferedBytes < highWaterBytes / 2) {
        this.#isFull = false;
        this.#pauseOrResume();
      }
      return { done: false, value: chunk };
    }
    if (this.#failure !== undefined) throw this.#failure.reason;
    if (this.#ended) return { done: true, value: undefined };
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  /** Called by `for await` when the reader leaves early. */
  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#ended && this.#failure === undefined) {
      this.#ended = true;
      this.#wake();
      this.#chunks = [];
      this.#source.cancel(new Error('the reader left before the end of the body'));
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * What is there is taken at once; then nothing more is for a while, in which the kernel collects: one waking for fifty
   * small pieces instead of fifty.
   */
  #restWhenDry(): void {
    this.#cameSinceLook = true;
    if (this.#isLooking) return;
    this.#isLooking = true;
    setImmediate(this.#look);
  }

  readonly #look = (): void => {
    if (this.#cameSinceLook && !this.#ended && this.#failure === undefined) {
      this.#cameSinceLook = false;
      setImmediate(this.#look);
      return;
    }
    this.#isLooking = false;
    if (this.#rests === undefined || this.#ended || this.#failure !== undefined) return;
    this.#isResting = true;
    this.#pauseOrResume();
    this.#timer = this.#rests.clock.setTimeout(() => {
      this.#isResting = false;
      this.#pauseOrResume();
    }, this.#rests.restMs);
  };

  #wake(): void {
    this.#rests?.clock.clearTimeout(this.#timer);
  }

  #pauseOrResume(): void {
    const isPaused = this.#isFull || this.#isResting;
    if (isPaused === this.#isPaused) return;
    this.#isPaused = isPaused;
    if (isPaused) this.#source.pause();
    else this.#source.resume();
  }
}
