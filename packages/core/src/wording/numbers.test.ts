// What is news in a sentence, and what only counts on.
import { describe, expect, it } from 'vitest';
import { withoutNumbers } from './numbers.ts';

describe('a sentence without its numbers', () => {
  it.each([
    ['held for at most 3598 s more, or until', 'held for at most # s more, or until'],
    [
      'Lease not renewed for 25s, host silent to 9 probes',
      'Lease not renewed for #s, host silent to # probes',
    ],
    ['2 of 3 node Leases fell silent together', '# of # node Leases fell silent together'],
    ['Ready is Unknown, count 4', 'Ready is Unknown, count #'],
    ['waits 1m30s.', 'waits #.'],
    ['(34%)', '(#)'],
    ['3,598 times', '# times'],
    ['for 0.5s: again', 'for #: again'],
  ])('%s', (text, without) => {
    expect(withoutNumbers(text).replace('#s', '#')).toBe(without.replace('#s', '#'));
  });

  it.each([
    'waiting for pod default/db-0, pod default/db-1',
    'volume pvc-978e4088',
    'takeover 3f2a9c1b0d-2',
    'since 2026-01-31T12:00:00Z',
    '10.0.0.7:10250',
    'node1',
  ])('keeps what numbers name: %s', (text) => {
    expect(withoutNumbers(text)).toBe(text);
  });
});
