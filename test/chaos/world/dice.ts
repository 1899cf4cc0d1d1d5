// Chance with the words in which scenarios are drawn.
import type { Random } from '@liberator/core';
import { seededRandom } from '@liberator/simulator';

export class Dice {
  readonly #random: Random;

  constructor(seed: string) {
    this.#random = seededRandom(seed);
  }

  between(from: number, to: number): number {
    return from + this.#random.next() * (to - from);
  }

  /** A whole number, both ends included. */
  whole(from: number, to: number): number {
    return Math.floor(this.between(from, to + 1));
  }

  chance(share: number): boolean {
    return this.#random.next() < share;
  }

  of<T>(choices: readonly T[]): T {
    const [first] = choices;
    if (first === undefined) throw new RangeError('expected something to choose from, found nothing');
    return choices[this.whole(0, choices.length - 1)] ?? first;
  }
}
