import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyJsonPatch, PatchError, type PatchOperation } from './json-patch.ts';

const json = fc.jsonValue({ maxDepth: 3 });
const pointerTo = (field: string): string => `/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`;

describe('a JSON patch', () => {
  it.each<[string, unknown, PatchOperation[], unknown]>([
    ['adds a field', { a: 1 }, [{ op: 'add', path: '/b', value: [2] }], { a: 1, b: [2] }],
    ['adds in the middle of a list', [1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    ['adds at the end of a list', [1], [{ op: 'add', path: '/-', value: 2 }], [1, 2]],
    ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: [] }], []],
    ['removes from a list', [1, 2, 3], [{ op: 'remove', path: '/1' }], [1, 3]],
    ['moves', { a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
    ['copies', { a: [1] }, [{ op: 'copy', from: '/a', path: '/b' }], { a: [1], b: [1] }],
    ['reads escapes', { 'a/b~c': 1 }, [{ op: 'remove', path: '/a~1b~0c' }], {}],
    [
      'tests deeply, whatever the order of fields',
      { a: { b: 1, c: [2] } },
      [{ op: 'test', path: '/a', value: { c: [2], b: 1 } }],
      { a: { b: 1, c: [2] } },
    ],
    [
      'goes on with what it has made',
      {},
      [
        { op: 'add', path: '/a', value: {} },
        { op: 'add', path: '/a/b', value: 1 },
      ],
      { a: { b: 1 } },
    ],
  ])('%s', (_, target, operations, expected) => {
    expect(applyJsonPatch(target, operations)).toEqual(expected);
  });

  it.each<[string, unknown, PatchOperation]>([
    ['a parent that is missing', {}, { op: 'add', path: '/a/b', value: 1 }],
    ['a field that is missing', {}, { op: 'remove', path: '/a' }],
    ['an index beyond the end', [1], { op: 'add', path: '/2', value: 1 }],
    ['an index with a leading zero', [1, 2], { op: 'remove', path: '/01' }],
    ['the end of a list, where something must be', [1], { op: 'remove', path: '/-' }],
    ['a move into itself', { a: {} }, { op: 'move', from: '/a', path: '/a/b' }],
    ['a path that does not start at the root', { a: 1 }, { op: 'remove', path: 'a' }],
    ['an addition without a value', {}, { op: 'add', path: '/a' }],
    ['a field that is only inherited', {}, { op: 'test', path: '/constructor/name', value: 'Object' }],
    ['an unknown operation', {}, { op: 'swap', path: '/a', value: 1 }],
  ])('refuses %s', (_, target, operation) => {
    expect(() => applyJsonPatch(target, [operation])).toThrow(PatchError);
  });

  it('never changes what it is applied to', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.string(), json, (target, field, value) => {
        const before = structuredClone(target);
        applyJsonPatch(target, [{ op: 'add', path: pointerTo(field), value }]);
        expect(target).toEqual(before);
      }),
    );
  });

  it('adds what it then finds, and removes what it added', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.string(), json, (target, field, value) => {
        fc.pre(!Object.hasOwn(target, field));
        const path = pointerTo(field);
        const operations = [
          { op: 'add', path, value },
          { op: 'test', path, value },
          { op: 'remove', path },
        ];
        expect(JSON.stringify(applyJsonPatch(target, operations))).toBe(JSON.stringify(target));
      }),
    );
  });

  it('can be undone where it moved something', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ minLength: 1 }), json, { minKeys: 1 }),
        fc.string(),
        (target, to) => {
          const [from = ''] = Object.keys(target);
          fc.pre(!Object.hasOwn(target, to));
          const there = { op: 'move', from: pointerTo(from), path: pointerTo(to) };
          const back = { op: 'move', from: pointerTo(to), path: pointerTo(from) };
          expect(applyJsonPatch(target, [there, back])).toEqual({ ...target });
        },
      ),
    );
  });
});
