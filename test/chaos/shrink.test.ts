// A failure is worth most when nothing is left in it that has nothing to do with it.
import { describe, expect, it } from 'vitest';
import { shrink } from './shrink.ts';
import { type Outcome, scenarioOf } from './simulation.ts';
import { replayOf, type Task } from './task.ts';

const scenario = scenarioOf(1);

/** Fails as long as `fails` says so of the faults that happen. */
const runsThat =
  (fails: (faults: readonly number[]) => string | undefined) =>
  async ({ faults = [] }: Task): Promise<Outcome> => {
    const invariant = fails(faults);
    return {
      scenario: { ...scenario, faults: faults.map((at) => fault(at)) },
      violation: invariant === undefined ? undefined : { invariant, sentence: '', found: '' },
      trace: [],
      remarks: [],
      simulatedMs: 0,
      takeovers: 0,
    };
  };

const fault = (at: number): Outcome['scenario']['faults'][number] => ({
  kind: `fault-${at}`,
  target: '',
  manner: '',
  atMs: at,
  forMs: 0,
});

const all = [0, 1, 2, 3, 4, 5];

describe('shrinking', () => {
  it('keeps the faults that the failure needs, and no other', async () => {
    const run = runsThat((faults) => (faults.includes(1) && faults.includes(4) ? 'a' : undefined));
    const { task, outcome } = await shrink({ seed: 1 }, await run({ seed: 1, faults: all }), run);
    expect(task.faults).toEqual([1, 4]);
    expect(outcome.scenario.faults.map(({ kind }) => kind)).toEqual(['fault-1', 'fault-4']);
    expect(replayOf(task)).toBe('npm run simulate -- --seed 1 --faults 1,4 --trace');
  });

  it('tries a fault again once another one is gone', async () => {
    // 0 is needed only as long as 3 happens.
    const run = runsThat((faults) => (!faults.includes(3) || faults.includes(0) ? 'a' : undefined));
    const { task } = await shrink({ seed: 1 }, await run({ seed: 1, faults: all }), run);
    expect(task.faults).toEqual([]);
    expect(replayOf(task)).toBe('npm run simulate -- --seed 1 --faults none --trace');
  });

  it('does not take another failure for the same', async () => {
    const run = runsThat((faults) => (faults.length === 6 ? 'a' : 'b'));
    const { task } = await shrink({ seed: 1 }, await run({ seed: 1, faults: all }), run);
    expect(task.faults).toEqual(all);
  });
});
