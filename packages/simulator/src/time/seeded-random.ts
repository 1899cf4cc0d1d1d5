// Chance that can be repeated: a run is replayed from its seed, so the numbers must be the same on every machine.
import type { Random } from '@liberator/core';

/**
 * A `Random` whose numbers depend on `seed` alone: the same seed gives the same sequence on every platform.
 *
 * The generator is xoshiro128** (Blackman and Vigna): 128 bits of state, a period of 2^128 - 1, good enough for
 * simulations and useless for secrets. Its state is filled from the seed by FNV-1a, so that similar seeds (`1` and
 * `2`, `a/1` and `a/2`) give unrelated sequences.
 *
 * @example Independent streams from one seed, so that drawing more from one leaves the other as it was
 * ```ts
 * const jitter = seededRandom(`${seed}/jitter`);
 * const faults = seededRandom(`${seed}/faults`);
 * ```
 */
export function seededRandom(seed: number | string): Random {
  const state = Uint32Array.from({ length: 4 }, (_, word) => fnv1a(`${word}:${seed}`));
  // All zeroes would be the one state that the generator never leaves.
  if (state.every((word) => word === 0)) state[0] = 1;
  const random: Random = { next: () => step(state) / 2 ** 32 };
  // The first numbers still show how alike two states were.
  for (let warmUp = 0; warmUp < 16; warmUp++) random.next();
  return random;
}

/** Advances the state in place and returns 32 bits. */
function step(state: Uint32Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = state;
  const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
  const crossed = c ^ a;
  const mixed = d ^ b;
  state[0] = a ^ mixed;
  state[1] = b ^ crossed;
  state[2] = crossed ^ (b << 9);
  state[3] = rotateLeft(mixed, 11);
  return result;
}

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** A number in [from, to). */
export function between(random: Random, from: number, to: number): number {
  return from + random.next() * (to - from);
}

/** One of `choices`, each as likely as the others; undefined when there are none. */
export function pick<T>(random: Random, choices: readonly T[]): T | undefined {
  return choices[Math.floor(random.next() * choices.length)];
}
