import { expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { checkFence } from './check-fence.ts';
import type { FenceTarget } from './fence-target.ts';
import type { Fencer } from './fencer.ts';

const target: FenceTarget = {
  name: 'node-1',
  uid: 'u',
  deathId: 'd',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};
const ready = { outcome: 'ready', machine: 'matched', power: 'on', mayAct: 'yes', detail: 'well' } as const;
const never = new AbortController().signal;

function bmc(check: unknown, more: Partial<Fencer> = {}): Fencer {
  return {
    name: 'bmc',
    fence: async () => ({ outcome: 'failed', detail: '' }),
    check: check as NonNullable<Fencer['check']>,
    ...more,
  };
}

it.each<[string, unknown, object]>([
  ['an answer', ready, ready],
  ['nothing', undefined, { outcome: 'not-ready', detail: expect.stringMatching(/bug in the driver/) }],
  ['a word', 'ready', { outcome: 'not-ready' }],
  ['an outcome that nobody knows', { ...ready, outcome: 'fine' }, { outcome: 'not-ready' }],
  ['no detail', { ...ready, detail: undefined }, { outcome: 'not-ready' }],
  [
    'ready for another machine',
    { ...ready, machine: 'mismatched' },
    { outcome: 'not-ready', machine: 'mismatched' },
  ],
  ['ready without being allowed to', { ...ready, mayAct: 'no' }, { outcome: 'not-ready', mayAct: 'no' }],
  ['words that are none of ours', { ...ready, power: 'dim' }, { outcome: 'ready', power: 'unknown' }],
  ['more than belongs to it', { ...ready, password: 'hunter2' }, ready],
])('a driver that answers %s is taken for what it says', async (_, answer, found) => {
  const check = await checkFence(
    bmc(async () => answer),
    target,
    { signal: never, clock: new ManualClock() },
  );
  expect(check).toMatchObject(found);
  expect(check).not.toHaveProperty('password');
});

it('a driver that throws is not ready, with its words', async () => {
  const clock = new ManualClock();
  const thrown = bmc(() => {
    throw new Error('no route to host');
  });
  expect(await checkFence(thrown, target, { signal: never, clock })).toMatchObject({
    outcome: 'not-ready',
    detail: 'no route to host',
  });
});

it('a driver that never answers is not ready when its time is up, and is told to let go', async () => {
  const clock = new ManualClock();
  let seen: AbortSignal | undefined;
  const hanging = bmc(
    (_: unknown, { signal }: { signal: AbortSignal }) => {
      seen = signal;
      return new Promise(() => {});
    },
    { timeoutMs: 20_000 },
  );
  const asked = checkFence(hanging, target, { signal: never, clock });
  await clock.advance(19_900);
  expect(seen?.aborted).toBe(false);
  await clock.advance(200);
  expect(await asked).toMatchObject({ outcome: 'not-ready', detail: 'no answer within 20 s' });
  expect(seen?.aborted).toBe(true);
  expect(clock.pendingTimers).toBe(0);
});

it('who calls it off hears nothing of the device, and leaves nothing behind', async () => {
  const clock = new ManualClock();
  const stop = new AbortController();
  const asked = checkFence(
    bmc(() => new Promise(() => {})),
    target,
    { signal: stop.signal, clock },
  );
  asked.catch(() => {});
  stop.abort(new Error('a takeover needs it'));
  await expect(asked).rejects.toThrow('a takeover needs it');
  expect(clock.pendingTimers).toBe(0);
});

it('a fencer without a check has no device that could be asked', async () => {
  const { check: _, ...plain } = bmc(undefined);
  expect(await checkFence(plain, target, { signal: never, clock: new ManualClock() })).toMatchObject({
    outcome: 'no-device',
  });
});

it('in the words of a device keeps to one line, which steers no terminal and is not too long', async () => {
  const words = 'well\n\u001b[2J\u202e\u2028ok';
  const asking = { signal: never, clock: new ManualClock() };
  const told = async (check: unknown): Promise<string> =>
    (await checkFence(bmc(check), target, asking)).detail;
  const thrown = (text: string) => () => Promise.reject(new Error(text));
  expect(await told(async () => ({ ...ready, detail: words }))).toBe('well [2J ok');
  expect(await told(thrown(words))).toBe('well [2J ok');
  expect(await told(thrown('x'.repeat(9_999)))).toHaveLength(1_024);
});
