// `hungAfter` needs what makes it safe, and says so with the line.
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from './read-config.ts';

const withPower = (policy: string): string => `
fencers:
  bmc: { driver: redfish, address: "https://bmc", username: /u, password: /p }
policies: [{ name: all, nodes: { all: true }, ${policy} }]`;

function refusal(policy: string): string {
  try {
    parseConfig(withPower(policy), 'liberator.yaml', { namespace: 'n', identity: 'i' });
    return '';
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('hungAfter', () => {
  it('is taken beside a fencer that switches power and a proof that is required', () => {
    expect(refusal('fencing: { ladder: [{ fencer: bmc }], hungAfter: 5m }')).toBe('');
  });

  it.each([
    [
      'fencing: { ladder: [{ fencer: manual }], hungAfter: 5m }',
      'expected a fencer that switches power beside it',
    ],
    [
      'fencing: { ladder: [{ fencer: bmc }], proof: optional, hungAfter: 5m }',
      'expected "proof: required" beside it',
    ],
    ['fencing: { ladder: [{ fencer: bmc }], hungAfter: 30s }', 'expected more than 45s'],
    ['evidence: proven, fencing: { ladder: [{ fencer: bmc }], hungAfter: 5m }', 'beside "evidence: proven"'],
    [
      'fencing: { ladder: [{ fencer: bmc }], accept: [isolated], hungAfter: 5m }',
      'expected a proof that the machine was stopped among those that count, found isolated',
    ],
  ])('is refused in %s', (policy, words) => {
    expect(refusal(policy)).toMatch(/policies\[0\]\.fencing\.hungAfter/);
    expect(refusal(policy)).toContain(words);
  });
});
