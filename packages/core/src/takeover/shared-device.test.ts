// That no outlet of another node is switched is asked at fence time, about the whole fleet: it has to be quick.
import { expect, it } from 'vitest';
import { notedOf } from '../evidence/noted-node.ts';
import { DeviceQueue } from '../fencing/device-queue.ts';
import type { FenceMachine } from '../fencing/fence-target.ts';
import type { Fencer } from '../fencing/fencer.ts';
import { fillIn } from '../fencing/template.ts';
import { newRecord } from '../testing/dead-node.ts';
import { nodeNamed } from '../testing/fleet-objects.ts';
import { hitsAnother } from './shared-device.ts';
import type { StepContext } from './step.ts';
import type { Neighbour } from './witness.ts';

const strip = (name: string): Fencer => ({
  name,
  fence: async () => ({ outcome: 'failed', detail: 'nobody asks' }),
  device: (machine) => ({
    key: fillIn('pdu-{label.rack}', machine, 'word'),
    concurrency: 1,
    switches: [fillIn('outlet {label.outlet}', machine, 'word')],
  }),
});

const nodes = Array.from({ length: 5_000 }, (_, i) =>
  nodeNamed(`node-${i}`, {
    labels: { rack: String(Math.floor(i / 40)), outlet: String(i % 40), zone: 'a', role: 'db', size: 'xl' },
    annotations: Object.fromEntries(
      Array.from({ length: 20 }, (_, k) => [`example.com/${k}`, 'x'.repeat(200)]),
    ),
  }),
);

function* neighbours(): Iterable<Neighbour> {
  for (const node of nodes) {
    const { name, uid } = node.metadata;
    yield { name, uid, noted: notedOf(node), lives: true };
  }
}

function contextWith(...fencers: readonly Fencer[]): StepContext {
  const record = newRecord();
  const devices = new DeviceQueue();
  const known = new Map(fencers.map((fencer) => [fencer.name, fencer]));
  return { record, devices, fencers: known, neighbours } as unknown as StepContext;
}

const machine = (labels: Readonly<Record<string, string>>): FenceMachine => {
  const node = nodeNamed('dead', { labels });
  return { name: 'dead', uid: 'uid-dead', noted: notedOf(node) };
};

it('asks three fencers about 5,000 nodes within a few hundredths of a second', () => {
  const context = contextWith(strip('a'), strip('b'), strip('c'));
  const [fencer] = context.fencers.values();
  const alone = machine({ rack: 'x', outlet: '1' });
  hitsAnother(context, fencer as Fencer, alone);
  const startedAt = performance.now();
  expect(hitsAnother(context, fencer as Fencer, alone)).toBeUndefined();
  const tookMs = performance.now() - startedAt;
  // Some 50 ms on two cores; a shared machine may be ten times as slow.
  expect(tookMs).toBeLessThan(400);
  const last = machine({ rack: '124', outlet: '39' });
  expect(hitsAnother(context, fencer as Fencer, last)).toBe(
    'outlet 39 of pdu-124 feeds node-4999 as well, which lives',
  );
});

it('costs nothing where nothing is switched that others may share', () => {
  const context = contextWith({ ...strip('a'), device: () => ({ key: 'pdu', concurrency: 1 }) });
  const asked: string[] = [];
  const watched = { ...context, neighbours: () => (asked.push('all') ? neighbours() : []) };
  const [fencer] = context.fencers.values();
  expect(hitsAnother(watched, fencer as Fencer, machine({}))).toBeUndefined();
  expect(asked).toEqual([]);
});

it('knows the same outlet of a strip by whatever fencer names it', () => {
  const named = (names: readonly string[]): NonNullable<Fencer['device']> => {
    return ({ name }) =>
      names.includes(name) ? { key: 'pdu-9', concurrency: 1, switches: ['7'] } : undefined;
  };
  const own: Fencer = { ...strip('a'), device: named(['dead']) };
  const other: Fencer = { ...strip('b'), device: named(['node-77']) };
  expect(hitsAnother(contextWith(own, other), own, machine({}))).toBe(
    '7 of pdu-9 feeds node-77 as well, which lives',
  );
  expect(hitsAnother(contextWith(own), own, machine({}))).toBeUndefined();
});
