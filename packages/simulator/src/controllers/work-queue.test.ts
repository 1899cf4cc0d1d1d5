// Keys are looked at once, soon, and again when that failed.
import { describe, expect, test } from 'vitest';
import { createStore } from '../store/memory-store.ts';
import { resources } from '../store/resources.ts';
import { notFound } from '../store/status-error.ts';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { kubernetesTimings } from './timings.ts';
import { keyOf, splitKey, WorkQueue } from './work-queue.ts';

function open(reconcile: (key: string) => void) {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  const reported: string[] = [];
  const seen: string[] = [];
  const report = (error: unknown, where: string): void => void reported.push(`${where}: ${error}`);
  const context = {
    clock,
    random,
    store: createStore({ clock, random }),
    timings: kubernetesTimings,
    report,
  };
  const queue = new WorkQueue(context, 'trial', (key) => {
    seen.push(`${key} at ${clock.now()}`);
    reconcile(key);
  });
  return { clock, queue, seen, reported };
}

describe('a key', () => {
  test('that is added many times is looked at once, a moment later', async () => {
    const { clock, queue, seen } = open(() => undefined);
    for (let count = 0; count < 5; count++) queue.add('a');
    queue.add('b');
    expect(seen).toEqual([]);
    await clock.advance(1_000);
    expect(seen).toEqual(['a at 20', 'b at 20']);
  });

  test('that is added with several delays is looked at after the shortest', async () => {
    const { clock, queue, seen } = open(() => undefined);
    queue.add('a', 500);
    queue.add('a', 100);
    queue.add('a', 900);
    await clock.advance(2_000);
    expect(seen).toEqual(['a at 100']);
  });

  test('that the store refuses comes back after waits that double, and nobody is told', async () => {
    let refusals = 3;
    const { clock, queue, seen, reported } = open(() => {
      if (refusals-- > 0) throw notFound(resources.nodes, 'n1');
    });
    queue.add('a', 0);
    await clock.advance(10_000);
    expect(seen).toEqual(['a at 0', 'a at 100', 'a at 300', 'a at 700']);
    expect(reported).toEqual([]);
  });

  test('that fails for another reason is reported and comes back, too', async () => {
    let failures = 1;
    const { clock, queue, seen, reported } = open(() => {
      if (failures-- > 0) throw new TypeError('odd');
    });
    queue.add('a', 0);
    await clock.advance(10_000);
    expect(seen).toHaveLength(2);
    expect(reported).toEqual(['trial a: TypeError: odd']);
  });

  test('is forgotten when it is removed, and so are all when the queue stops', async () => {
    const { clock, queue, seen } = open(() => undefined);
    queue.add('a');
    queue.add('b');
    queue.remove('a');
    queue.stop();
    queue.add('c');
    await clock.advance(1_000);
    expect(seen).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });
});

test.each([
  [{ name: 'n1' }, 'n1', { namespace: undefined, name: 'n1' }],
  [{ namespace: 'default', name: 'web-0' }, 'default/web-0', { namespace: 'default', name: 'web-0' }],
])('the key of %j is %s, and leads back', (metadata, key, parts) => {
  expect(keyOf({ metadata })).toBe(key);
  expect(splitKey(key)).toEqual(parts);
});
