import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copyOf, frozenCopyOf, sameMeaning, sameValue } from './wire-value.ts';

const json = fc.jsonValue({ maxDepth: 4 });

/** Every object and list in a value. */
function* partsOf(value: unknown): Generator<object> {
  if (typeof value !== 'object' || value === null) return;
  yield value;
  for (const part of Object.values(value)) yield* partsOf(part);
}

describe('copies', () => {
  it('are equal, and share nothing that could be written to', () => {
    fc.assert(
      fc.property(json, (value) => {
        const copied = copyOf(value);
        expect(JSON.stringify(copied)).toBe(JSON.stringify(value));
        const parts = new Set(partsOf(value));
        for (const part of partsOf(copied)) expect(parts.has(part)).toBe(false);
      }),
    );
  });

  it('that are frozen are so to the last', () => {
    fc.assert(
      fc.property(json, json, (value, like) => {
        for (const part of partsOf(frozenCopyOf(value, frozenCopyOf(like))))
          expect(Object.isFrozen(part)).toBe(true);
      }),
    );
  });

  it('look the same whatever they share', () => {
    fc.assert(
      fc.property(json, json, (value, like) => {
        const plain = copyOf(value);
        expect(sameValue(frozenCopyOf(value, frozenCopyOf(like)), plain)).toBe(true);
      }),
    );
  });

  it('share what is the same with the version before', () => {
    const before = frozenCopyOf({ kept: { deep: [1, { a: 'b' }] }, changed: { x: 1 }, removed: {} });
    const after = frozenCopyOf({ kept: { deep: [1, { a: 'b' }] }, changed: { x: 2 } }, before);
    expect(after.kept).toBe(before.kept);
    expect(after).toEqual({ kept: { deep: [1, { a: 'b' }] }, changed: { x: 2 } });
    expect(frozenCopyOf({ a: [], b: {} }, frozenCopyOf({ a: {}, b: [] }))).toEqual({ a: [], b: {} });
    expect(frozenCopyOf(copyOf(before), before)).toBe(before);
  });

  it('leave out what JSON leaves out, and convert what JSON converts', () => {
    expect(copyOf({ a: undefined, b: [undefined], c: new Date(0) })).toEqual({
      b: [null],
      c: '1970-01-01T00:00:00.000Z',
    });
    expect(frozenCopyOf({ a: undefined }, frozenCopyOf({ a: 1 }))).toEqual({});
  });

  it('keep a field named __proto__', () => {
    const value = JSON.parse('{"__proto__":{"a":1}}');
    for (const copied of [copyOf(value), frozenCopyOf(value)])
      expect(JSON.stringify(copied)).toBe('{"__proto__":{"a":1}}');
  });
});

describe('meaning', () => {
  it('does not tell absent from null, nor from empty', () => {
    expect(sameMeaning({ a: null, b: [], c: {} }, {})).toBe(true);
    expect(sameMeaning({ a: [{ b: null }] }, { a: [{}] })).toBe(true);
    expect(sameMeaning({ a: '' }, {})).toBe(false);
    expect(sameMeaning({ a: 0 }, {})).toBe(false);
    expect(sameMeaning([1, 2], [2, 1])).toBe(false);
  });

  it('is the same for whatever is equal', () => {
    fc.assert(fc.property(json, (value) => sameMeaning(value, copyOf(value))));
  });
});
