import { describe, expect, it } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { askUnfence } from './ask-unfence.ts';
import type { FenceTarget } from './fence-target.ts';
import type { Fencer } from './fencer.ts';

const target: FenceTarget = {
  name: 'node-1',
  uid: 'n1',
  deathId: 'd',
  noted: {
    machine: { systemUuid: '', machineId: '', providerId: '' },
    addresses: [],
    labels: {},
    annotations: {},
  },
  howToConfirm: '',
};

function asked(unfence: unknown, clock = new ManualClock({ turns: 1 })) {
  const fencer = {
    name: 'bmc',
    timeoutMs: 5_000,
    fence: async () => ({ outcome: 'failed', detail: 'nobody asks for a fence' }),
    ...(unfence !== undefined && { unfence }),
  } as unknown as Fencer;
  return askUnfence(fencer, target, {
    signal: new AbortController().signal,
    clock,
    permit: async () => ({ outcome: 'refused', code: 'alive', detail: 'it is up' }),
  });
}

describe('a fencer that is asked to take its fence back', () => {
  it.each([
    [
      { outcome: 'unfenced', detail: 'on' },
      { outcome: 'unfenced', detail: 'on' },
    ],
    [
      { outcome: 'waiting', detail: 'w', retryAfterMs: 5 },
      { outcome: 'waiting', detail: 'w', retryAfterMs: 100 },
    ],
    [
      { outcome: 'failed', detail: 'no' },
      { outcome: 'failed', detail: 'no' },
    ],
    [
      { outcome: 'failed', detail: 'no', permanent: true },
      { outcome: 'failed', detail: 'no', permanent: true },
    ],
  ])('may answer %j', async (answer, result) => {
    expect((await asked(async () => answer)).result).toEqual(result);
  });

  it.each([
    undefined,
    null,
    'on',
    {},
    { outcome: 'fenced', proof: 'powered-off', detail: 'off' },
    { outcome: 'unfenced' },
  ])('has failed when it answers %j', async (answer) => {
    expect((await asked(async () => answer)).result).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('a bug in the driver'),
    });
  });

  it('has failed for good when it can’t', async () => {
    expect((await asked(undefined)).result).toMatchObject({ outcome: 'failed', permanent: true });
  });

  it('is not waited for beyond its time, and gets no permit after that', async () => {
    const clock = new ManualClock({ turns: 1 });
    const permits: unknown[] = [];
    const answer = asked(
      async (_: unknown, { permit, signal }: { permit: () => unknown; signal: AbortSignal }) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        permits.push(await permit());
        return { outcome: 'unfenced', detail: 'too late' };
      },
      clock,
    );
    await clock.advance(5_000);
    expect((await answer).result).toEqual({ outcome: 'failed', detail: 'no answer within 5 s' });
    await clock.advance(0);
    expect(permits).toMatchObject([{ outcome: 'refused', code: 'called-off' }]);
  });

  it('says why it was not allowed to act', async () => {
    const { refusal } = await asked(async (_: unknown, { permit }: { permit: () => Promise<unknown> }) => {
      await permit();
      return { outcome: 'failed', detail: 'not permitted' };
    });
    expect(refusal).toMatchObject({ code: 'alive' });
  });
});
