import { describe, expect, it } from 'vitest';
import { readFlags } from './command-line.ts';
import { UsageError } from './failure.ts';

describe('the flags of the demo', () => {
  it('are all optional', () => {
    expect(readFlags([])).toEqual({ kubeconfig: undefined, json: false, picture: undefined });
    expect(readFlags(['--kubeconfig', 'f', '--json', '--picture=p.svg'])).toEqual({
      kubeconfig: 'f',
      json: true,
      picture: 'p.svg',
    });
  });

  it('give way to a cry for help', () => {
    expect(readFlags(['--json', '--help'])).toBe('help');
    expect(readFlags(['-h'])).toBe('help');
  });

  it.each([['--bogus'], ['extra'], ['--kubeconfig'], ['--json=yes']])(
    'are refused in one sentence: %s',
    (arg) => {
      expect(() => readFlags([arg])).toThrow(UsageError);
      expect(() => readFlags([arg])).toThrow(/^[^\n]+; "npm run demo -- --help" shows what there is$/);
    },
  );
});
