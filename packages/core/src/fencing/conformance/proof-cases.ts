// What a driver vouches for has to be so, again and again, for the right machine and no other.
import { checkedAnswer } from '../answer.ts';
import type { FenceResult } from '../fencer.ts';
import type { FencerCase } from './case.ts';
import { type Answered, insist, type Trial, wordsOf } from './trial.ts';

export const proof: FencerCase = {
  name: 'fences the machine and vouches for it by valid answers',
  run: (inScene) =>
    inScene(async (trial) => {
      const fencer = trial.scene.fencer();
      const { patienceMs, clock } = trial.times;
      const until = clock.now() + patienceMs;
      for (;;) {
        const answered = await trial.fence(fencer);
        const { answer, outcome } = answered;
        // What it rejects with is another case.
        if (outcome !== 'rejected') insistOnValidity(answer);
        if (answer?.outcome === 'fenced') {
          const { proofs } = fencer;
          insist(answer.proof !== 'none', () => 'it fences with the proof "none", which proves nothing');
          insist(
            proofs === undefined || proofs.includes(answer.proof),
            () => `it vouches "${answer.proof}", which is not among its own proofs (${proofs?.join(', ')})`,
          );
          return insist(
            trial.scene.truth().fenced,
            () => `it vouches "${answer.proof}" for a machine that still runs`,
          );
        }
        insist(
          outcome === 'waiting' && clock.now() < until,
          () => `a device that is well should be fenced within ${patienceMs} ms, found ${wordsOf(answered)}`,
        );
        await trial.wait(
          Math.min(answer?.outcome === 'waiting' ? answer.retryAfterMs : 0, trial.times.arrivalMs),
        );
      }
    }),
};

function insistOnValidity(answer: FenceResult | undefined): void {
  const checked = checkedAnswer(answer);
  const words = JSON.stringify(answer);
  insist(answer?.outcome === checked.outcome, () => `the answer ${words} is none: ${checked.detail}`);
  insist(
    checked.detail === answer.detail,
    () =>
      `the detail is not told as it is: it has to be one line of at most 1,024 characters, found ${JSON.stringify(answer.detail)}`,
  );
  insist(answer.detail.trim() !== '', () => `the answer ${words} has no words for people`);
  if (answer.outcome !== 'fenced' || checked.outcome !== 'fenced') return;
  const { evidence = [] } = answer;
  const kept = checked.evidence ?? [];
  insist(
    JSON.stringify(evidence) === JSON.stringify(kept),
    () => `evidence is lost: of ${JSON.stringify(evidence)} there is left ${JSON.stringify(kept)}`,
  );
  const undated = evidence.find(({ at }) => Number.isNaN(Date.parse(at)));
  insist(undated === undefined, () => `evidence without an ISO 8601 time: ${JSON.stringify(undated)}`);
}

export const stuck: FencerCase = {
  name: 'does not vouch for an order that was taken and not obeyed',
  run: (inScene) =>
    inScene(async (trial) => {
      await trial.scene.set('stuck');
      const fencer = trial.scene.fencer();
      for (let times = 0; times < 4; times++) {
        const answered = await trial.fence(fencer);
        insist(
          answered.outcome !== 'fenced' || trial.scene.truth().fenced,
          () => `the device does nothing of what it accepts, and yet: ${wordsOf(answered)}`,
        );
        await trial.wait(trial.times.arrivalMs);
      }
    }),
};

export const again: FencerCase = {
  name: 'is the same when it is asked twice, by another leader too',
  async run(inScene) {
    await inScene(async (trial) => {
      const first = trial.scene.fencer();
      const answered = await trial.untilFenced(first);
      if (answered.outcome !== 'fenced') return;
      const { changes } = trial.scene.truth();
      for (const fencer of [first, trial.scene.fencer(), first]) {
        insistOnProof(trial, await trial.untilFenced(fencer), 'of a machine that is fenced already');
        await trial.wait(trial.times.arrivalMs);
        const now = trial.scene.truth().changes;
        insist(now === changes, () => `fenced again, the machine changed ${now - changes} more times`);
      }
    });
    await inScene(async (trial) => {
      const torn = new AbortController();
      const first = trial.fence(trial.scene.fencer(), { signal: torn.signal });
      await trial.within(trial.times.patienceMs, harmOr(trial, first));
      torn.abort(new Error('the leader is gone'));
      await trial.within(trial.times.graceMs, first);
      await trial.wait(trial.times.arrivalMs);
      const answered = await trial.untilFenced(trial.scene.fencer());
      if (answered.outcome === 'rejected') return;
      insistOnProof(trial, answered, 'after another leader died right after its request');
      const { changes } = trial.scene.truth();
      insist(
        changes === 1,
        () => `torn from its request and asked anew, the machine changed ${changes} times`,
      );
    });
  },
};

function insistOnProof(trial: Trial, answered: Answered<FenceResult>, when: string): void {
  insist(
    answered.outcome === 'fenced' && trial.scene.truth().fenced,
    () => `it should prove the same ${when}, found ${wordsOf(answered)}`,
  );
}

/** Until something harms, or there is an answer without. */
async function harmOr(trial: Trial, first: Promise<unknown>): Promise<void> {
  let over = false;
  const end = (): void => {
    over = true;
  };
  first.then(end, end);
  while (!over && trial.scene.harms().length === 0) await trial.wait(1);
}

export const goneNode: FencerCase = {
  name: 'fences a machine whose Node is gone by what was noted of it',
  run: (inScene) =>
    inScene(async (trial) => {
      const { node: _, ...target } = trial.target;
      const answered = await trial.untilFenced(trial.scene.fencer(), { target });
      insist(
        answered.outcome === 'fenced' && trial.scene.truth().fenced,
        () => `without a Node object it should be fenced all the same, found ${wordsOf(answered)}`,
      );
    }),
};

export const wrongMachine: FencerCase = {
  name: 'refuses for good what is not the machine that is meant, and harms nothing',
  run: (inScene) =>
    inScene(async (trial) => {
      const fencer = trial.scene.fencer();
      const { wrongTarget: target } = trial;
      const answered = await trial.fence(fencer, { target });
      await trial.wait(trial.times.arrivalMs);
      const [harm] = trial.scene.harms();
      insist(harm === undefined, () => `asked about another machine, it sent ${harm?.what}`);
      const { answer } = answered;
      insist(
        answer?.outcome === 'failed' && answer.permanent === true,
        () => `another machine should be refused as "failed" and permanent, found ${wordsOf(answered)}`,
      );
    }),
};
