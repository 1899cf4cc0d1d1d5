// Looks that change nothing, and what is taken back.
import type { FenceCheck } from '../fence-check.ts';
import type { DeviceCondition } from './bench.ts';
import { type FencerCase, inEach } from './case.ts';
import { type Answered, insist, sameValue, type Trial, wordsOf } from './trial.ts';

const known = {
  outcome: ['ready', 'not-ready', 'no-device'],
  machine: ['matched', 'chosen', 'mismatched', 'unknown'],
  power: ['on', 'off', 'unknown'],
  mayAct: ['yes', 'no', 'unknown'],
} as const;

export const check: FencerCase = {
  name: 'looks at the right machine without a change, before and after a fence',
  run: (inScene) =>
    inScene(async (trial) => {
      const fencer = trial.scene.fencer();
      await insistOnReady(trial, await unchanged(trial, () => trial.check(fencer)), 'off');
      if ((await trial.untilFenced(fencer)).outcome !== 'fenced') return;
      await insistOnReady(trial, await unchanged(trial, () => trial.check(fencer)), 'on');
    }),
};

function insistOnReady(trial: Trial, answered: Answered<FenceCheck>, wrong: FenceCheck['power']): void {
  const { answer } = answered;
  if (answered.outcome === 'rejected') return;
  insistOnValidity(answer);
  insist(
    answer?.outcome === 'ready' && (answer.machine === 'matched' || answer.machine === 'chosen'),
    () =>
      `the right machine of a device that is well should be ready, found ${wordsOf(answered)}, machine ${answer?.machine}`,
  );
  const { fenced } = trial.scene.truth();
  insist(
    answer.power !== wrong || trial.scene.fencer().acts !== 'power',
    () => `it calls the power ${wrong} of a machine that is ${fenced ? 'fenced' : 'not fenced'}`,
  );
}

function insistOnValidity(answer: FenceCheck | undefined): void {
  for (const [field, values] of Object.entries(known)) {
    const found: unknown = answer === undefined ? undefined : Reflect.get(answer, field);
    insist(
      values.some((value) => value === found),
      () => `a check has to say "${field}" as one of ${values.join(', ')}, found ${String(found)}`,
    );
  }
  insist(
    typeof answer?.detail === 'string' && answer.detail.trim() !== '',
    () => 'a check has to say why, in detail',
  );
}

/** Hands on what a look came to. */
async function unchanged<T>(trial: Trial, look: () => Promise<T>): Promise<T> {
  const { scene, times } = trial;
  const before = { harms: scene.harms().length, ...scene.truth() };
  const answer = await look();
  await trial.wait(times.arrivalMs);
  const harm = scene.harms()[before.harms];
  insist(harm === undefined, () => `a look has to change nothing, and sent ${harm?.what}`);
  const { changes } = scene.truth();
  insist(changes === before.changes, () => `a look has to change nothing, and the machine changed`);
  return answer;
}

const troubles: readonly DeviceCondition[] = ['unreachable', 'refusing', 'hanging'];

export const checkTrouble: FencerCase = {
  name: 'does not call a device ready that is in trouble',
  async run(inScene) {
    await inEach(troubles, async (condition) => {
      await inScene(async (trial) => {
        await trial.scene.set(condition);
        const ended = new AbortController();
        const work = trial.check(trial.scene.fencer(), { signal: ended.signal });
        const soon = await trial.within(trial.times.slowMs, work);
        ended.abort(new Error('its time is up'));
        const answered = soon ?? (await trial.within(trial.times.graceMs, work));
        insist(
          answered !== undefined,
          () => `its signal aborted, and it still looks at a device that is ${condition}`,
        );
        if (answered.value.outcome === 'rejected') return;
        insist(
          answered.value.outcome === 'not-ready',
          () => `a device that is ${condition} is not ready, found ${wordsOf(answered.value)}`,
        );
      });
    });
  },
};

export const checkWrongMachine: FencerCase = {
  name: 'tells by a look that the device would switch another machine',
  run: (inScene) =>
    inScene(async (trial) => {
      const { wrongTarget: target } = trial;
      const answered = await unchanged(trial, () => trial.check(trial.scene.fencer(), { target }));
      const { answer } = answered;
      insist(
        answer?.outcome === 'not-ready' && answer.machine === 'mismatched',
        () =>
          `another machine is "not-ready" and "mismatched", found ${wordsOf(answered)}, machine ${answer?.machine}`,
      );
    }),
};

export const unfence: FencerCase = {
  name: 'takes a fence back, and twice is once',
  run: (inScene) =>
    inScene(async (trial) => {
      const { scene } = trial;
      const first = scene.fencer();
      if ((await trial.untilFenced(first)).outcome !== 'fenced') return;
      for (const fencer of [first, scene.fencer(), first]) {
        const answered = await trial.untilUnfenced(fencer);
        if (answered.outcome === 'rejected') return;
        insist(
          answered.outcome === 'unfenced' && !scene.truth().fenced,
          () => `it should be taken back, found ${wordsOf(answered)}`,
        );
      }
      await trial.wait(trial.times.arrivalMs);
      const { changes } = scene.truth();
      insist(
        changes === 2,
        () => `fenced once and taken back three times, the machine changed ${changes} times`,
      );
    }),
};

export const device: FencerCase = {
  name: 'names the device that it shares at once, always the same, of whatever is known',
  run: (inScene) =>
    inScene(async (trial) => {
      const fencer = trial.scene.fencer();
      const { node: _, ...target } = trial.target;
      const { harms, changes } = { harms: trial.scene.harms().length, ...trial.scene.truth() };
      const nothingNoted = {
        machine: { systemUuid: '', machineId: '', providerId: '' },
        addresses: [],
        labels: {},
        annotations: {},
      };
      const named = [trial.target, target, trial.target].map((one) => deviceOf(() => fencer.device?.(one)));
      deviceOf(() => fencer.device?.({ ...target, noted: nothingNoted }));
      insist(
        named.every((one) => sameValue(one, named[0])),
        () =>
          `its device should be the same each time, found ${named.map((one) => JSON.stringify(one)).join(' | ')}`,
      );
      await trial.wait(trial.times.arrivalMs);
      insist(
        trial.scene.harms().length === harms && trial.scene.truth().changes === changes,
        () => 'naming its device has to change nothing',
      );
    }),
};

function deviceOf(ask: () => unknown): unknown {
  let found: unknown;
  try {
    found = ask();
  } catch (error) {
    insist(false, () => `naming its device threw ${String(error)}`);
  }
  if (found === undefined) return undefined;
  const { key, concurrency } = Object(found) as { readonly key?: unknown; readonly concurrency?: unknown };
  insist(
    typeof key === 'string' && key !== '' && Number.isInteger(concurrency) && Number(concurrency) >= 1,
    () => `a device is a key and how many it bears, found ${JSON.stringify(found)}`,
  );
  return found;
}
