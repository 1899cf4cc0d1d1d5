// What may stand behind `npm run bench --`, and what is refused.
import { describe, expect, it } from 'vitest';
import { benchNames, readPlan, UsageError } from './command-line.ts';

const refusal = (...args: readonly string[]): string => {
  try {
    readPlan(args);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error('expected a refusal, found none');
};

describe('the command line of the bench', () => {
  it('runs everything when nothing is named', () => {
    expect(readPlan([])?.names).toEqual(benchNames);
    expect(readPlan(['--json'])).toMatchObject({ json: true, names: benchNames });
  });

  it('runs one alone, as large and as long as it is told', () => {
    expect(readPlan(['scale', '--nodes', '5000', '--seconds=5'])).toMatchObject({
      names: ['scale'],
      json: false,
      scale: { nodes: [5000], seconds: 5, starts: 3 },
    });
    expect(readPlan(['storm', '--case', '150-of-1500,held-10-of-100'])?.storm.cases).toEqual([
      { dead: 150, nodes: 1500, held: false },
      { dead: 10, nodes: 100, held: true },
    ]);
    expect(readPlan(['recovery', '--case', 'polling', '--crashes', '12'])?.recovery).toEqual({
      cases: ['polling'],
      crashes: 12,
      seed: 1,
    });
    expect(readPlan(['handover', '--case', 'SIGSTOP'])?.handover.signals).toEqual(['SIGSTOP']);
    expect(readPlan(['simulation', '--seeds', '3'])?.simulation.seeds).toBe(3);
  });

  it('has defaults for what one that is named is not told', () => {
    expect(readPlan(['storm'])?.storm).toMatchObject({ limitSeconds: 300, heldSeconds: 600 });
    expect(readPlan(['storm'])?.storm.cases).toHaveLength(4);
    expect(readPlan(['scale'])?.scale.nodes).toEqual([100, 1000, 5000, 15000]);
  });

  it('only tells how it is used when asked for help', () => {
    expect(readPlan(['--help'])).toBeUndefined();
    expect(readPlan(['scale', '--help'])).toBeUndefined();
  });

  it.each([
    [['nonsense']],
    [['scale', 'nonsense']],
    [['--speed', '3']],
    [['scale', '--speed']],
    [['scale', '-x']],
    [['scale', '--json=yes']],
    [['scale', '--nodes']],
    [['scale', '--nodes', '']],
    [['scale', '--nodes', '0']],
    [['scale', '--nodes', '1e3']],
    [['scale', '--nodes', '100,']],
    [['scale', '--nodes', '5', '--nodes', '6']],
    [['--nodes', '100']],
    [['scale', '--trials', '3']],
    [['scale', 'storm', '--nodes', '10']],
    [['storm', '--case', 'recovery']],
    [['storm', '--case', '10-of-10']],
    [['storm', '--case', '010-of-100']],
    [['recovery', '--case', 'SIGTERM']],
    [['recovery', '--crashes', '34']],
    [['handover', '--case', 'SIGINT']],
  ])('refuses %j with one sentence', (args) => {
    expect(refusal(...args)).toMatch(/^[^\n]+\.$/);
    expect(refusal(...args)).not.toMatch(/\. [A-Z]/);
  });
});
