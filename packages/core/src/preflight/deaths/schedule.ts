// Virtual time: what is to happen, the earliest first, and of what is due at the same moment what was arranged first.

interface Due {
  readonly at: number;
  readonly act: () => void;
}

/** Nothing in it waits: whoever runs it says that time has come. */
export class Schedule {
  readonly #due: Due[] = [];

  /** When the next thing is due; `Infinity` when there is none. */
  get nextAt(): number {
    return this.#due[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  at(time: number, act: () => void): void {
    let from = 0;
    let to = this.#due.length;
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if ((this.#due[middle]?.at ?? 0) <= time) from = middle + 1;
      else to = middle;
    }
    this.#due.splice(from, 0, { at: time, act });
  }

  /** From a time on, again and again. */
  every(ms: number, from: number, act: () => void): void {
    this.at(from, () => {
      act();
      this.every(ms, from + ms, act);
    });
  }

  /** Does what is due next. */
  runNext(): void {
    this.#due.shift()?.act();
  }
}
