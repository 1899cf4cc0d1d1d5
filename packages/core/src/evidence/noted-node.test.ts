import { expect, it } from 'vitest';
import { notedOf } from './noted-node.ts';

it('notes of annotations what may mark or describe a node, and none of the large ones that would not fit beside it', () => {
  const node = {
    metadata: {
      name: 'node-1',
      uid: 'n1',
      resourceVersion: '1',
      annotations: { 'liberator.dev/paused': 'why not', 'example.com/manifest': '"'.repeat(200_000) },
    },
  };
  expect(notedOf(node).annotations).toEqual({ 'liberator.dev/paused': 'why not' });
});
