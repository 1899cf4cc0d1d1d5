// A watchdog that could never give its proof in time is refused before anything dies.
import { describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from './read-config.ts';

const surroundings = { namespace: 'liberator', identity: 'agent-1_00000000' };

function read(fencing: string, keys: string = 'longestWait: 2m') {
  const text = `
fencers: { self: { driver: watchdog, ${keys} } }
policies: [{ name: all, nodes: { all: true }, fencing: { ${fencing} } }]`;
  try {
    return parseConfig(text, 'liberator.yaml', surroundings).config.fencers['self'];
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
}

describe('a watchdog in the configuration', () => {
  it('has its own defaults', () => {
    expect(read('ladder: [{ fencer: self }, { fencer: manual }]', '')).toEqual({
      driver: 'watchdog',
      namespace: 'liberator-guards',
      margin: 5_000,
      longestWait: 240_000,
    });
  });

  it.each([
    ['ladder: [{ fencer: self, for: 2m1s }]', 'longestWait: 2m'],
    ['drivers: [self]', 'longestWait: 299s'],
    ['ladder: [{ fencer: self }], accept: [powered-off, self-fenced]', ''],
    ['ladder: [{ fencer: self }], proof: optional, giveUpAfter: 5m', ''],
  ])('may be: %s with %s', (fencing, keys) => {
    expect(read(fencing, keys)).toMatchObject({ driver: 'watchdog' });
  });

  it.each([
    [
      'ladder: [{ fencer: self, for: 2m }]',
      'longestWait: 2m',
      'for: expected more than longestWait of self (2m)',
    ],
    ['drivers: [self]', 'longestWait: 5m', 'drivers[0]: expected more than longestWait of self (5m)'],
    ['ladder: [{ fencer: self }]', 'longestWait: 6m', 'before the proof could come; found 5m'],
    [
      'ladder: [{ fencer: self }], proof: optional, giveUpAfter: 1m',
      'longestWait: 2m',
      'giveUpAfter: expected more than longestWait of self (2m)',
    ],
    ['ladder: [{ fencer: self }], accept: [powered-off]', '', 'accept: expected self-fenced'],
    ['ladder: [{ fencer: self }]', 'margin: 4s', 'what is waited can be made longer, never shorter'],
    ['ladder: [{ fencer: self }]', 'namespace: UP', 'expected a namespace'],
    ['ladder: [{ fencer: self }]', 'clockRatio: 1', 'clockRatio'],
    ['ladder: [{ fencer: self }], hungAfter: 5m', '', 'hungAfter: expected a fencer that switches power'],
  ])('is refused: %s with %s', (fencing, keys, sentence) => {
    expect(read(fencing, keys)).toContain(sentence);
  });
});
