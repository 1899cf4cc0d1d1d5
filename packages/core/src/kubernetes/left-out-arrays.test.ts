// What is left out is exactly what was named, and the rest reads as before.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arraysLeftOut } from './left-out-arrays.ts';

const names = ['managedFields', 'images'];
const shorten = arraysLeftOut(names);
const after = (json: string): string => shorten(Buffer.from(json)).toString();

describe('arrays of these names', () => {
  test.each([
    ['{"images":[{"names":["a","b"]}],"a":1}', '{"images":[],"a":1}'],
    ['{"a":[1],"images":[1,[2,[3]],4]}', '{"a":[1],"images":[]}'],
    ['{"managedFields":[{"images":[1]}],"images":[2]}', '{"managedFields":[],"images":[]}'],
    [
      '{"images":[1],"x":{"managedFields":[2],"images":[3]}}',
      '{"images":[],"x":{"managedFields":[],"images":[]}}',
    ],
    [String.raw`{"images":["]","\"]","\\"],"a":"b"}`, '{"images":[],"a":"b"}'],
    ['{"images":[]}', '{"images":[]}'],
  ])('%s becomes %s', (json, expected) => {
    expect(after(json)).toBe(expected);
  });

  test.each([
    '{"images":"all of them","managedFields":null}',
    '{"labels":{"images":"[1]"}}',
    String.raw`{"last":"{\"images\":[1],\"managedFields\":[2]}"}`,
    '{"images2":[1],"myimages":[1],"images":{"images":1}}',
    '{"images" : [1]}',
    '{"images":[1',
    '{"images":["a',
    '',
  ])('%s stays as it is', (json) => {
    expect(after(json)).toBe(json);
  });

  test('are all that differs, whatever the JSON', () => {
    const emptied = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(emptied);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([key, inner]) => [
          key,
          names.includes(key) && Array.isArray(inner) ? [] : emptied(inner),
        ]),
      );
    };
    const key = fc.oneof(fc.constantFrom(...names), fc.string());
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.string({ unit: 'binary' }),
        fc.constantFrom('"images":[', '\\"images\\":[', ']"\\', null, 1.5, true),
        fc.array(tie('tree')),
        fc.dictionary(key, tie('tree')),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        const json = JSON.stringify(value);
        expect(JSON.parse(after(json))).toEqual(emptied(JSON.parse(json)));
      }),
    );
  });
});
