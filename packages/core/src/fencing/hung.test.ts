// Who may be asked about a host that is up, and what a policy needs for that.
import { describe, expect, it } from 'vitest';
import { hungFault, mayStopHung, stopsMachine } from './hung.ts';
import { manualFencer } from './manual.ts';
import { noneFencer } from './none.ts';

const fence = async (): Promise<never> => {
  throw new Error('nobody asks');
};

describe('a fencer', () => {
  it.each([
    ['that switches power', { name: 'bmc', acts: 'power', fence } as const, true],
    ['that is a human', manualFencer, true],
    ['that is a watchdog', { name: 'dog', proofs: ['self-fenced'], fence } as const, true],
    [
      'that only cuts storage off',
      { name: 'csi', acts: 'storage', proofs: ['isolated'], fence } as const,
      false,
    ],
    [
      'that may vouch for less as well',
      { name: 'x', proofs: ['self-fenced', 'isolated'], fence } as const,
      false,
    ],
    ['of which nobody knows what it does', { name: 'hook', fence } as const, false],
    ['that does nothing', noneFencer, false],
    ['that isn’t there', undefined, false],
  ])('%s may be asked about a host that is up: %#', (_, fencer, expected) => {
    expect(mayStopHung(fencer)).toBe(expected);
  });
});

it('takes no proof that leaves the machine running', () => {
  expect(
    ['powered-off', 'rebooted', 'instance-gone', 'self-fenced', 'confirmed-by-human'].every(stopsMachine),
  ).toBe(true);
  expect(['isolated', 'none', ''].some(stopsMachine)).toBe(false);
});

describe('a policy that has hosts switched off whose kubelet hangs', () => {
  const fine = { hungAfterMs: 300_000, proof: 'required' } as const;
  const ladder = { switchesPower: true, evidence: 'unreachable' };

  it('needs a proof that is required, a fencer that switches power, and evidence that is not a word of people', () => {
    expect(hungFault(fine, ladder)).toBeUndefined();
    expect(hungFault({ proof: 'optional' }, { switchesPower: false, evidence: 'proven' })).toBeUndefined();
    expect(hungFault({ ...fine, accept: ['isolated'] }, ladder)).toContain(
      'a proof that the machine was stopped',
    );
    expect(hungFault({ ...fine, accept: ['isolated', 'rebooted'] }, ladder)).toBeUndefined();
    expect(hungFault({ ...fine, proof: 'optional' }, ladder)).toContain('"proof: required"');
    expect(hungFault(fine, { ...ladder, switchesPower: false })).toContain('a fencer that switches power');
    expect(hungFault(fine, { ...ladder, evidence: 'proven' })).toContain('"evidence: proven"');
  });

  it('waits for longer than a healthy kubelet may be silent', () => {
    expect(hungFault({ ...fine, hungAfterMs: 45_000 }, ladder)).toContain('more than 45s');
    expect(hungFault({ ...fine, hungAfterMs: Number.NaN }, ladder)).toContain('more than 45s');
    expect(hungFault({ ...fine, hungAfterMs: 45_001 }, ladder)).toBeUndefined();
  });
});
