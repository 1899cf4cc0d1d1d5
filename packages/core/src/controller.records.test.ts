// Records that can't be used, as an embedder of a controller hears of them.
import { expect, it } from 'vitest';
import type { UnreadableRecord } from './takeover/cluster.ts';
import { World } from './testing/controller-world.ts';

it('a record that can’t be used is told by the leader alone, and nobody stops leading for it', async () => {
  const world = new World();
  const metadata = { name: 'liberator-takeover-abc', uid: 'u', resourceVersion: '1' };
  world.cluster.putRecordObject({ metadata, data: { 'record.json': '{"version": 1, "id": "abc"}' } });
  const told: UnreadableRecord[] = [];
  const a = world.replica('a');
  const b = world.replica('b');
  for (const { controller } of [a, b]) controller.on('setAside', (record) => told.push(record));
  a.run();
  await world.pass(5);
  b.run();
  await world.pass(30);
  expect(told).toMatchObject([{ name: 'liberator-takeover-abc', kind: 'damaged' }]);
  expect(a.controller.recordsSetAside).toEqual(told);
  expect(b.controller.recordsSetAside).toEqual([]);
  expect(a.controller.leading).toMatchObject({ epoch: 0 });
  world.dead.add('node-1');
  await world.pass(60);
  expect(a.about(/node-1/).at(-1)).toMatch(/close node-1/);
  expect(a.errors).toEqual([]);
});
