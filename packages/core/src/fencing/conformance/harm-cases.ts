// No harm without a permit of its own that still holds, and none once nobody waits for it.
import { refused } from '../fence-context.ts';
import type { DeviceCondition } from './bench.ts';
import { type FencerCase, inEach } from './case.ts';
import { granted, grantedTimes, insist, type Trial, wordsOf } from './trial.ts';

const answering: readonly DeviceCondition[] = ['well', 'stuck', 'refusing'];

export const permit: FencerCase = {
  name: 'asks for a permit of its own before each request that harms',
  async run(inScene) {
    await inEach(answering, async (condition) => {
      await inScene(async (trial) => {
        await trial.scene.set(condition);
        const fencer = trial.scene.fencer();
        for (let times = 0; times < 3; times++) await trial.fence(fencer);
        await trial.wait(trial.times.arrivalMs);
        const harm = trial.uncovered('a permit each');
        insist(
          harm === undefined,
          () => `${harm} was sent without a permit of its own (device: ${condition})`,
        );
      });
    });
  },
};

export const refusedPermit: FencerCase = {
  name: 'does no harm once it was refused its permit',
  async run(inScene) {
    // A fence may take several requests: the permit for any of them may be the one that is refused.
    await inEach([0, 1, 2], async (times) => {
      await inScene(async (trial) => {
        const fencer = trial.scene.fencer();
        const permit = grantedTimes(times);
        for (let asked = 0; asked < 3; asked++) {
          const answered = await trial.fence(fencer, { permit });
          insist(
            answered.outcome !== 'fenced' || trial.scene.truth().fenced,
            () => `refused its permit, it vouches all the same: ${wordsOf(answered)}`,
          );
        }
        await trial.wait(2 * trial.times.arrivalMs);
        const { length } = trial.scene.harms();
        insist(length <= times, () => `with ${times} permits it sent ${length} requests that harm`);
      });
    });
  },
};

export const expired: FencerCase = {
  name: 'does no harm by a permit whose time is over',
  run: (inScene) =>
    inScene(async (trial) => {
      const { slowMs } = trial.times;
      await trial.scene.set('slow');
      const fencer = trial.scene.fencer();
      for (let times = 0; times < 3; times++) await trial.fence(fencer, { permit: granted(slowMs / 2) });
      await trial.wait(slowMs);
      const harm = trial.uncovered('their time, too');
      insist(
        harm === undefined,
        () => `${harm} arrived after its permit had ended: it has to be asked for right before the request`,
      );
    }),
};

export const aborted: FencerCase = {
  name: 'does nothing more once its signal has aborted',
  async run(inScene) {
    await inScene(async (trial) => {
      void trial.fence(trial.scene.fencer(), { signal: AbortSignal.abort(new Error('the term ended')) });
      await insistOnSilence(trial, 'called with a signal that had aborted');
    });
    await inScene(async (trial) => {
      const { slowMs, arrivalMs } = trial.times;
      await trial.scene.set('slow');
      const ended = new AbortController();
      void trial.fence(trial.scene.fencer(), { signal: ended.signal });
      // In the middle of the first answer.
      await trial.wait(slowMs / 2);
      ended.abort(new Error('the term ended'));
      // What was sent right before arrives a little later.
      await trial.wait(arrivalMs);
      await insistOnSilence(trial, 'aborted while the device thought');
    });
    await inScene(async (trial) => {
      const ended = new AbortController();
      const work = trial.fence(trial.scene.fencer(), {
        signal: ended.signal,
        permit: async () => {
          ended.abort(new Error('the term ended'));
          await trial.wait(1);
          return { outcome: 'granted', validForMs: 5_000 };
        },
      });
      await trial.within(trial.times.patienceMs, aborting(ended.signal, work));
      // That it asks for none is another case.
      if (ended.signal.aborted) await insistOnSilence(trial, 'aborted while it asked for its permit');
    });
    await inScene(async (trial) => {
      const { arrivalMs, graceMs } = trial.times;
      await trial.scene.set('hanging');
      const ended = new AbortController();
      void trial.fence(trial.scene.fencer(), { signal: ended.signal });
      await trial.wait(2 * arrivalMs);
      ended.abort(new Error('the term ended'));
      await trial.wait(graceMs);
      await trial.scene.set('well');
      await insistOnSilence(trial, 'aborted while the device hung');
    });
  },
};

/** Until one of the two. */
function aborting(signal: AbortSignal, work: Promise<unknown>): Promise<unknown> {
  const end = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  return Promise.race([end, work]);
}

/** Waits for as long as anything could still be on its way, and looks. */
async function insistOnSilence(trial: Trial, when: string): Promise<void> {
  const { scene, times } = trial;
  const before = scene.harms().length;
  await trial.wait(2 * times.slowMs + 2 * times.arrivalMs);
  const harm = scene.harms()[before];
  insist(harm === undefined, () => `${when}, it still sent ${harm?.what}`);
  const [process] = scene.processes?.() ?? [];
  insist(process === undefined, () => `${when}, it left the process ${process?.pid} behind`);
}

export const unfencePermit: FencerCase = {
  name: 'asks for a permit before each request that takes a fence back',
  async run(inScene) {
    await inScene(async (trial) => {
      const fencer = trial.scene.fencer();
      if ((await trial.untilFenced(fencer)).outcome !== 'fenced') return;
      const before = trial.scene.harms().length;
      for (let times = 0; times < 3; times++) {
        await trial.unfence(fencer, { permit: () => refused('held', 'everything is paused') });
      }
      await trial.wait(2 * trial.times.arrivalMs);
      const harm = trial.scene.harms()[before];
      insist(harm === undefined, () => `refused its permit, it still sent ${harm?.what}`);
    });
    await inScene(async (trial) => {
      const fencer = trial.scene.fencer();
      if ((await trial.untilFenced(fencer)).outcome !== 'fenced') return;
      const before = trial.uncovered('a permit each');
      for (let times = 0; times < 3; times++) await trial.unfence(fencer);
      const harm = trial.uncovered('a permit each');
      // What fencing did without one is another case.
      insist(
        harm === undefined || before !== undefined,
        () => `${harm} was sent without a permit of its own`,
      );
    });
  },
};
