// The true time of a story, and its chance.
import type { Random } from '@liberator/core';
import { ManualClock } from '../../../packages/core/src/testing/manual-clock.ts';

/** Time that all machines share, whatever their own clocks make of it. */
export class SharedTime extends ManualClock {
  readonly random: Random;

  constructor(seed: number) {
    super({ turns: 1 });
    this.random = randomFrom(seed);
  }

  /** Between 0 and `mostMs`, mostly little. */
  draw(mostMs: number): number {
    return Math.floor(this.random.next() ** 3 * mostMs);
  }
}

/** Mulberry32: small, and the same everywhere. */
function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
