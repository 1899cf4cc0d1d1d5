import { expect, it } from 'vitest';
import { replayWithoutLiberator } from './without-liberator.ts';

it('without agents, the pod of a dead node is Terminating after about six minutes and stays so', async () => {
  const { terminatingAfterMs, watchedMs, stuck } = await replayWithoutLiberator();
  expect(terminatingAfterMs).toBeGreaterThan(300_000);
  expect(terminatingAfterMs).toBeLessThan(400_000);
  expect(watchedMs).toBe(3_600_000);
  expect(stuck).toBe(true);
}, 60_000);
