import { describe, expect, it } from 'vitest';
import { applyStrategicMergePatch } from './strategic-merge-patch.ts';

describe('a strategic merge patch', () => {
  it.each<[string, unknown, unknown, unknown]>([
    ['merges fields', { a: 1, b: { c: 1 } }, { b: { d: 2 } }, { a: 1, b: { c: 1, d: 2 } }],
    ['removes by null', { a: 1, b: 2 }, { a: null }, { b: 2 }],
    [
      'replaces lists that have no key',
      { taints: [{ key: 'a' }] },
      { taints: [{ key: 'b' }] },
      { taints: [{ key: 'b' }] },
    ],
    [
      'merges containers by name',
      { containers: [{ name: 'a', image: '1', env: [{ name: 'X', value: '1' }] }] },
      { containers: [{ name: 'a', image: '2', env: [{ name: 'Y', value: '2' }] }] },
      {
        containers: [
          {
            name: 'a',
            image: '2',
            env: [
              { name: 'Y', value: '2' },
              { name: 'X', value: '1' },
            ],
          },
        ],
      },
    ],
    [
      'tells the ports of containers from those of services',
      { ports: [{ containerPort: 80, name: 'web' }] },
      { ports: [{ containerPort: 80, protocol: 'TCP' }] },
      { ports: [{ containerPort: 80, name: 'web', protocol: 'TCP' }] },
    ],
    [
      'merges the ports of services',
      { ports: [{ port: 80, name: 'web' }] },
      { ports: [{ port: 81 }] },
      { ports: [{ port: 81 }, { port: 80, name: 'web' }] },
    ],
    [
      'keeps the order of what was there',
      { conditions: [{ type: 'A' }, { type: 'B' }] },
      { conditions: [{ type: 'B', status: 'x' }] },
      { conditions: [{ type: 'A' }, { type: 'B', status: 'x' }] },
    ],
    [
      'deletes an item',
      { conditions: [{ type: 'A' }, { type: 'B' }] },
      { conditions: [{ type: 'A', $patch: 'delete' }] },
      { conditions: [{ type: 'B' }] },
    ],
    [
      'replaces a keyed list when told to',
      { conditions: [{ type: 'A' }] },
      { conditions: [{ $patch: 'replace' }, { type: 'B' }] },
      { conditions: [{ type: 'B' }] },
    ],
    ['replaces an object when told to', { a: { b: 1 } }, { a: { $patch: 'replace', c: 2 } }, { a: { c: 2 } }],
    ['empties an object when told to', { a: { b: 1 } }, { a: { $patch: 'delete' } }, { a: {} }],
    [
      'keeps only the named fields',
      { a: { b: 1, c: 2 } },
      { a: { $retainKeys: ['c', 'd'], d: 3 } },
      { a: { c: 2, d: 3 } },
    ],
    [
      'takes plain values out of a set',
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a'] },
      { finalizers: ['b'] },
    ],
    [
      'leaves directives of order out of the object',
      { containers: [{ name: 'a' }] },
      { '$setElementOrder/containers': [{ name: 'a' }] },
      { containers: [{ name: 'a' }] },
    ],
    ['leaves nulls out of what is new', {}, { a: { b: null, c: 1 } }, { a: { c: 1 } }],
  ])('%s', (_, target, patch, expected) => {
    const before = structuredClone(target);
    expect(applyStrategicMergePatch(target, patch)).toEqual(expected);
    expect(target).toEqual(before);
  });
});
