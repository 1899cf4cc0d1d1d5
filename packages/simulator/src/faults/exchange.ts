// One request that is being answered, and what faults do to it while it is: break it, or keep it silent for a while.
import { Interruption } from '../http/interruption.ts';
import { NoAnswer } from '../http/request.ts';
import type { RequestFacts } from './fault.ts';

/** A request under way. Faults that come later act on it through this. */
export class Exchange {
  readonly facts: RequestFacts;
  readonly #interruption: Interruption;
  readonly #silencers = new Set<object>();
  #audible: PromiseWithResolvers<void> | undefined;

  constructor(facts: RequestFacts, signal: AbortSignal) {
    this.facts = facts;
    this.#interruption = new Interruption(
      signal,
      () => new NoAnswer('expected somebody to read the answer, found the client gone', { sent: true }),
    );
  }

  get isWatch(): boolean {
    return this.facts.verb === 'watch';
  }

  /** Ends it for the client as a reset does. */
  break(why: string, options: { sent: boolean }): void {
    this.#interruption.interrupt(new NoAnswer(why, options));
  }

  /** Lets nothing through until `silencer`, and every other one, is taken back. */
  silence(silencer: object): void {
    this.#silencers.add(silencer);
    this.#audible ??= Promise.withResolvers();
  }

  unsilence(silencer: object): void {
    this.#silencers.delete(silencer);
    if (this.#silencers.size > 0) return;
    this.#audible?.resolve();
    this.#audible = undefined;
  }

  /** Resolves when nothing keeps it silent. @throws NoAnswer when it breaks, or the client leaves, before that. */
  async untilAudible(): Promise<void> {
    while (this.#audible !== undefined) await this.unlessBroken(this.#audible.promise);
  }

  /** Settles as `work` does, unless it breaks or the client leaves first. */
  unlessBroken<T>(work: Promise<T>): Promise<T> {
    return this.#interruption.unless(work);
  }

  /** The body as it gets through. `halfway` breaks it in the middle of its first chunk. */
  async *carry(
    body: AsyncIterable<Uint8Array>,
    halfway: boolean,
    done: () => void,
  ): AsyncGenerator<Uint8Array> {
    const chunks = body[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await this.unlessBroken(chunks.next());
        await this.untilAudible();
        if (next.done) return;
        if (halfway) {
          yield next.value.subarray(0, Math.ceil(next.value.length / 2));
          throw new NoAnswer('expected the rest of the answer, found the connection broken', { sent: true });
        }
        yield next.value;
      }
    } finally {
      this.#interruption.release();
      done();
      // Not awaited: a stream that is silent for ever would hold up whoever hangs up on it.
      void Promise.resolve(chunks.return?.()).catch(() => {});
    }
  }
}
