// There is a permit that holds at each moment of a run that may do harm, or the run is called off.
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { FencePermit } from '../fence-context.ts';
import { type Permitted, whilePermitted } from './permitted-run.ts';

const granted: FencePermit = { outcome: 'granted', validForMs: 5_000 };
const refused: FencePermit = { outcome: 'refused', code: 'alive', detail: 'it has shown life' };

/** A run of so many milliseconds, with what each permit is answered with; the last one again and again. */
const story = async (
  lengthMs: number,
  ...permits: readonly (FencePermit | 'never')[]
): Promise<{
  readonly end: Permitted<string> | undefined;
  readonly endedAt: number | undefined;
  readonly asked: readonly number[];
}> => {
  const clock = new ManualClock();
  const asked: number[] = [];
  let endedAt: number | undefined;
  let end: Permitted<string> | undefined;
  const running = whilePermitted(
    {
      clock,
      signal: new AbortController().signal,
      permit: () => {
        const answer = permits[Math.min(asked.length, permits.length - 1)] ?? granted;
        asked.push(clock.now());
        return answer === 'never' ? new Promise(() => undefined) : Promise.resolve(answer);
      },
    },
    (signal) =>
      new Promise<string>((resolve) => {
        const over = (): void => {
          endedAt = clock.now();
          resolve('ran');
        };
        signal.addEventListener('abort', over, { once: true });
        clock.setTimeout(() => {
          if (!signal.aborted) over();
        }, lengthMs);
      }),
  );
  void running.then((answer) => {
    end = answer;
  });
  await clock.advance(60_000);
  return { end, endedAt, asked };
};

describe('a run under a permit', () => {
  it('that is shorter than it asks once, right before', async () => {
    expect(await story(2_000, granted)).toEqual({
      end: { outcome: 'done', result: 'ran' },
      endedAt: 2_000,
      asked: [0],
    });
  });

  it('that is longer asks anew before the last one is over', async () => {
    const { end, asked } = await story(11_000, granted);
    expect(end).toEqual({ outcome: 'done', result: 'ran' });
    expect(asked).toEqual([0, 2_500, 5_000, 7_500, 10_000]);
  });

  it('is never begun when it is refused', async () => {
    expect(await story(1_000, refused)).toEqual({
      end: { outcome: 'refused', begun: false, detail: 'it has shown life' },
      endedAt: undefined,
      asked: [0],
    });
  });

  it('is called off at the moment at which the next one is refused', async () => {
    expect(await story(60_000, granted, granted, refused)).toMatchObject({
      end: { outcome: 'refused', begun: true, detail: 'it has shown life' },
      endedAt: 5_000,
    });
  });

  it('is called off when the last one is over and nobody answers', async () => {
    expect(await story(60_000, granted, 'never')).toMatchObject({
      end: { outcome: 'refused', begun: true, detail: 'no new permit in time' },
      endedAt: 5_000,
    });
  });
});
