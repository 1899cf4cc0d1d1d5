// The body of one answer as an async iterable with back-pressure, without the cost of a Node.js stream per request.

/** What a body can do to the connection that it arrives on. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** Nobody reads on: free the connection. */
  cancel(reason: Error): void;
}

/** A reader this far behind stops the connection from reading more. */
const highWaterBytes = 256 * 1024;

export class ResponseBody implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array, undefined> {
  readonly #source: BodySource;
  #chunks: Uint8Array[] = [];
  #bufferedBytes = 0;
  #paused = false;
  #ended = false;
  #failure: { readonly reason: unknown } | undefined;
  #waiting:
    | { resolve(result: IteratorResult<Uint8Array, undefined>): void; reject(reason: unknown): void }
    | undefined;

  constructor(source: BodySource) {
    this.#source = source;
  }

  push(chunk: Uint8Array): void {
    if (this.#ended || this.#failure !== undefined) return;
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.byteLength;
    if (!this.#paused && this.#bufferedBytes >= highWaterBytes) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  end(): void {
    this.#ended = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** What arrived before is thrown away: a caller that aborted wants no more of it. */
  fail(reason: unknown): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#failure = { reason };
    this.#chunks = [];
    this.#waiting?.reject(reason);
    this.#waiting = undefined;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bufferedBytes -= chunk.byteLength;
      if (this.#paused && this.#bufferedBytes < highWaterBytes / 2) {
        this.#paused = false;
        this.#source.resume();
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
      this.#chunks = [];
      this.#source.cancel(new Error('the reader left before the end of the body'));
    }
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
