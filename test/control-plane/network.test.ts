// The parts of the network that can be tested without a privilege.
import { describe, expect, it } from 'vitest';
import { hasCapabilities, ownerMark } from './network.ts';

describe('capabilities', () => {
  const status = (effective: string): string =>
    `Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t${effective}\nCapBnd:\t0\n`;

  it('are those in effect', () => {
    expect(hasCapabilities(status('000001fffeffffff'), [12n, 21n])).toBe(true);
    expect(hasCapabilities(status('0000000000001000'), [12n])).toBe(true);
    expect(hasCapabilities(status('0000000000001000'), [12n, 21n])).toBe(false);
    expect(hasCapabilities(status('0000000000000000'), [12n])).toBe(false);
  });

  it('are none where nothing is said', () => {
    expect(hasCapabilities('Name:\tnode\n', [12n])).toBe(false);
  });
});

describe('the mark of an owner', () => {
  it('tells directories apart and stays below what the kernel allows', () => {
    expect(ownerMark('/a')).not.toBe(ownerMark('/b'));
    expect(ownerMark(`/${'long/'.repeat(500)}`).length).toBeLessThan(256);
  });
});
