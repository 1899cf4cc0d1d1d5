import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchesSelector, parseLabelSelector } from './label-selector.ts';
import { StatusError } from './status-error.ts';

// Few letters, so that chance meets itself.
const key = fc.constantFrom('a', 'b', 'example.com/c', 'in', 'notin');
const value = fc.constantFrom('', 'x', 'y', '1', 'in');
const labels = fc.dictionary(key, value);
const space = fc.constantFrom('', ' ', '\t');

type Has = Readonly<Record<string, string>>;

interface Term {
  readonly text: string;
  readonly holds: (labels: Has) => boolean;
}

/** Terms with what they mean, written down independently of the parser. */
const term: fc.Arbitrary<Term> = fc.oneof(
  key.map((k) => ({ text: k, holds: (has: Has) => k in has })),
  key.map((k) => ({ text: `!${k}`, holds: (has: Has) => !(k in has) })),
  fc.tuple(key, fc.constantFrom('=', '=='), value, space).map(([k, sign, v, gap]) => ({
    text: `${k}${gap}${sign}${gap}${v}`,
    holds: (has: Has) => has[k] === v,
  })),
  fc
    .tuple(key, value, space)
    .map(([k, v, gap]) => ({ text: `${k}${gap}!=${v}`, holds: (has: Has) => has[k] !== v })),
  fc.tuple(key, fc.array<string>(value, { minLength: 1, maxLength: 3 }), space).map(([k, list, gap]) => ({
    text: `${k} in (${list.join(`${gap},${gap}`)})`,
    holds: (has: Has) => has[k] !== undefined && list.includes(has[k]),
  })),
  fc.tuple(key, fc.array<string>(value, { minLength: 1, maxLength: 3 })).map(([k, list]) => ({
    text: `${k} notin (${list.join(',')})`,
    holds: (has: Has) => has[k] === undefined || !list.includes(has[k]),
  })),
);

describe('a label selector', () => {
  it('means that all of its terms hold', () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 4 }), labels, (terms, has) => {
        const fits = parseLabelSelector(terms.map((one) => one.text).join(','));
        expect(fits(has)).toBe(terms.every((one) => one.holds(has)));
      }),
    );
  });

  it('never takes an inherited field for a label', () => {
    expect(parseLabelSelector('constructor')({})).toBe(false);
    expect(parseLabelSelector('!toString')({})).toBe(true);
    expect(parseLabelSelector('!a')(undefined)).toBe(true);
  });

  it('is either understood or refused with 400, whatever it is', () => {
    const letters = fc.constantFrom(
      'a',
      'in',
      'notin',
      '=',
      '==',
      '!',
      '!=',
      '(',
      ')',
      ',',
      ' ',
      '>',
      '<',
      '-',
      '/',
      '',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(letters).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            parseLabelSelector(text)({ a: '1' });
          } catch (error) {
            expect(error).toBeInstanceOf(StatusError);
            expect((error as StatusError).status.code).toBe(400);
          }
        },
      ),
    );
  });

  it('compares numbers as numbers, beyond what a double can hold', () => {
    const has = { a: '9007199254740993' };
    expect(parseLabelSelector('a>9007199254740992')(has)).toBe(true);
    expect(parseLabelSelector('a<9007199254740993')(has)).toBe(false);
    expect(parseLabelSelector('a>1')({ a: 'many' })).toBe(false);
  });
});

describe('a selector in an object', () => {
  const has = { app: 'web', tier: 'front' };
  it.each([
    [undefined, false],
    [{}, true],
    [{ matchLabels: { app: 'web' } }, true],
    [{ matchLabels: { app: 'web', tier: 'back' } }, false],
    [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['web', 'db'] }] }, true],
    [{ matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, false],
    [{ matchExpressions: [{ key: 'canary', operator: 'Exists' }] }, false],
    [{ matchExpressions: [{ key: 'canary', operator: 'DoesNotExist' }] }, true],
  ])('%j fits: %s', (selector, fits) => {
    expect(matchesSelector(selector, has)).toBe(fits);
  });
});
