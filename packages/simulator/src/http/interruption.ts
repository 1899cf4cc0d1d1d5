// What ends an exchange before its time: one listener for all that waits in it, instead of one for each piece.

/** Ends whatever waits under it as soon as it comes. */
export class Interruption {
  readonly #waiting = new Set<(reason: unknown) => void>();
  readonly #signal: AbortSignal;
  readonly #onAbort: () => void;
  /** Says why it came, once it has. Asked only if somebody waits: most exchanges end with nobody left to tell. */
  #reasonOf: (() => unknown) | undefined;

  /**
   * @param signal - Interrupts when it aborts.
   * @param reasonOf - What those who wait are told then; default the signal's own reason.
   */
  constructor(signal: AbortSignal, reasonOf: () => unknown = () => signal.reason) {
    this.#signal = signal;
    this.#onAbort = () => this.#come(reasonOf);
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Only the first one counts. */
  interrupt(reason: unknown): void {
    this.#come(() => reason);
  }

  /** Settles as `work` does, unless the interruption comes first: then it rejects with the reason. */
  unless<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#reasonOf !== undefined) reject(this.#reasonOf());
      else this.#waiting.add(reject);
      // Also when it is too late: a promise that nobody listens to ends the process when it rejects.
      work.then(
        (value) => {
          this.#waiting.delete(reject);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(reject);
          reject(error);
        },
      );
    });
  }

  /** Lets go of the signal, when nothing will wait any more. */
  release(): void {
    this.#signal.removeEventListener('abort', this.#onAbort);
  }

  #come(reasonOf: () => unknown): void {
    if (this.#reasonOf !== undefined) return;
    this.#reasonOf = reasonOf;
    this.release();
    for (const reject of this.#waiting) reject(reasonOf());
    this.#waiting.clear();
  }
}
