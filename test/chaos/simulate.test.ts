// A few seeds at every test run; `npm run simulate -- --seeds 1000` tries more.
import { describe, expect, it } from 'vitest';
import { mutationNamed } from './mutations/all-mutations.ts';
import { hunt } from './mutations/hunt.ts';
import type { Outcome } from './simulation.ts';
import { scenarioOf, simulate, wordsFor } from './simulation.ts';

const seeds = Array.from({ length: 8 }, (_, at) => at + 1);

describe('a cluster made from a seed', () => {
  it.each(seeds)('keeps every promise and recovers, seed %i', async (seed) => {
    expect(story(await simulate(scenarioOf(seed)))).toBe('every invariant held');
  });

  it('runs the same way twice, to the byte', async () => {
    const first = await simulate(scenarioOf(4711));
    const second = await simulate(scenarioOf(4711));
    expect(second.trace.join('\n')).toBe(first.trace.join('\n'));
    expect(first.trace.length).toBeGreaterThan(50);
  });

  it('runs another way with another seed', async () => {
    const first = await simulate(scenarioOf(1));
    const second = await simulate(scenarioOf(2));
    expect(second.trace.join('\n')).not.toBe(first.trace.join('\n'));
  });
});

/** Those that are quick to catch; `npm run simulate:mutations` tries them all. */
const quarry = ['term-outlives-lease', 'never-blind', 'no-budget', 'no-conditions', 'recorded-afterwards'];

describe('the invariants', () => {
  it.each(quarry)('notice the deliberate defect %s', async (name) => {
    const mutation = mutationNamed(name);
    const { caught } = await hunt(mutation, seeds, 1);
    expect(mutation.seenBy).toContain(caught?.violation.invariant);
  });
});

/** All that one needs to know of a failure, where the test's output shows it. */
function story({ scenario, violation, trace }: Outcome): string {
  if (violation === undefined) return 'every invariant held';
  return [
    `${violation.invariant}: ${violation.found}`,
    ...scenario.faults.map(wordsFor),
    ...trace.slice(-30),
    `replay: npm run simulate -- --seed ${scenario.seed} --trace`,
  ].join('\n');
}
