// One read for many who ask at once, each of whom gets an answer that was made after it asked.

/** Those who ask while a read is under way share the next one: it begins when that is over. */
export class SharedRead<T> {
  readonly #read: () => Promise<T>;
  #underWay: Promise<T> | undefined;
  #next: Promise<T> | undefined;

  constructor(read: () => Promise<T>) {
    this.#read = read;
  }

  ask(): Promise<T> {
    if (this.#underWay === undefined) return this.#begin();
    this.#next ??= this.#underWay.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<T> {
    this.#next = undefined;
    const underWay = this.#read();
    this.#underWay = underWay;
    const over = (): void => {
      if (this.#underWay === underWay) this.#underWay = undefined;
    };
    underWay.then(over, over);
    return underWay;
  }
}
