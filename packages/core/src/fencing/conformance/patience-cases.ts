// A device in trouble must cost no more than its time, and is a result.

import type { DeviceCondition } from './bench.ts';
import { type FencerCase, inEach } from './case.ts';
import { insist, wordsOf } from './trial.ts';

/** See `Fencer.timeoutMs`. */
const defaultTimeoutMs = 60_000;

export const hanging: FencerCase = {
  name: 'lets go of a device that never answers as soon as its signal aborts',
  run: (inScene) =>
    inScene(async (trial) => {
      const { arrivalMs, graceMs } = trial.times;
      await trial.scene.set('hanging');
      const ended = new AbortController();
      const work = trial.fence(trial.scene.fencer(), { signal: ended.signal });
      await trial.within(2 * arrivalMs, work);
      ended.abort(new Error('the term ended'));
      const answered = await trial.within(graceMs, work);
      insist(
        answered !== undefined,
        () => `${graceMs} ms after its signal aborted it still waits for the device`,
      );
      insist(
        answered.value.outcome !== 'fenced',
        () => `the device hangs, and yet: ${wordsOf(answered.value)}`,
      );
    }),
};

export const inTime: FencerCase = {
  name: 'answers within its own timeoutMs, whatever the device does',
  run: (inScene) =>
    inScene(async (trial) => {
      await trial.scene.set('hanging');
      const fencer = trial.scene.fencer();
      const { timeoutMs = defaultTimeoutMs } = fencer;
      const withinMs = timeoutMs + trial.times.graceMs;
      const ended = new AbortController();
      const answered = await trial.within(withinMs, trial.fence(fencer, { signal: ended.signal }));
      // So that nothing of it outlives the scene.
      ended.abort(new Error('nobody waits any more'));
      insist(
        answered !== undefined,
        () => `its timeoutMs is ${timeoutMs}, and after ${withinMs} ms there is no answer`,
      );
    }),
};

const troubles: readonly DeviceCondition[] = ['refusing', 'unreachable', 'hanging'];

export const trouble: FencerCase = {
  name: 'takes trouble with its device as an answer, and goes on when it is over',
  async run(inScene) {
    await inEach(troubles, async (condition) => {
      await inScene(async (trial) => {
        const { scene, times } = trial;
        const fencer = scene.fencer();
        const asking = { signal: deadline(trial, times.slowMs) };
        await scene.set(condition);
        const answers = [
          await trial.fence(fencer, asking),
          ...(fencer.check === undefined
            ? []
            : [await trial.check(fencer, { signal: deadline(trial, times.slowMs) })]),
          ...(fencer.unfence === undefined
            ? []
            : [await trial.unfence(fencer, { signal: deadline(trial, times.slowMs) })]),
        ];
        for (const answered of answers) {
          insist(
            answered.outcome !== 'rejected',
            () => `a device that is ${condition} is a result, found ${wordsOf(answered)}`,
          );
        }
        const fence = answers[0]?.answer;
        insist(
          condition !== 'unreachable' || fence === undefined || !('permanent' in fence),
          () => 'who is unreachable now may be reached the next time: that is nothing permanent',
        );
        await scene.set('well');
        const later = await trial.untilFenced(fencer);
        insist(
          later.outcome === 'fenced' && scene.truth().fenced,
          () => `once the device is no longer ${condition} it should be fenced, found ${wordsOf(later)}`,
        );
      });
    });
  },
};

function deadline(trial: { wait(ms: number): Promise<boolean> }, ms: number): AbortSignal {
  const ended = new AbortController();
  void trial.wait(ms).then(() => ended.abort(new Error('its time is up')));
  return ended.signal;
}
