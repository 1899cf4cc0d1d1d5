// The pure growth of a record, as a model: however leaders come and go between saves, each step is done once.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newRecord } from '../testing/dead-node.ts';
import {
  close,
  endStep,
  nextMove,
  noteStep,
  startStep,
  startUndoing,
  type TakeoverRecord,
  takeoverSteps,
} from './record.ts';

const end = (
  detail = 'ok',
  outcome: 'done' | 'skipped' = 'done',
): { outcome: 'done' | 'skipped'; detail: string; at: string } => ({
  outcome,
  detail,
  at: 'end',
});

/** Every step up to and with the last one ended. */
const finished: TakeoverRecord = takeoverSteps.reduce(
  (record, step) => endStep(startStep(record, step, 1, 'start'), step, end()),
  newRecord({ proof: 'powered-off' }),
);

describe('the next move', () => {
  it('is each step in turn, and then to close', () => {
    let record = newRecord({ proof: 'powered-off' });
    for (const step of takeoverSteps) {
      expect(nextMove(record)).toEqual({ move: 'step', step });
      record = startStep(record, step, 1, 'start');
      expect(nextMove(record)).toEqual({ move: 'step', step });
      record = endStep(record, step, end());
    }
    expect(nextMove(record)).toEqual({ move: 'close' });
    expect(nextMove(close(record, 'then'))).toEqual({ move: 'nothing' });
  });

  it('goes on after a step that was skipped', () => {
    expect(nextMove(endStep(newRecord(), 'claim', end('', 'skipped')))).toEqual({
      move: 'step',
      step: 'cordon',
    });
  });

  it.each([undefined, 'none'] as const)(
    'is to fence while a proof is required and there is %s, whatever else is on record',
    (proof) => {
      for (const last of ['fence', 'recheck'] as const) {
        const until = takeoverSteps.slice(0, takeoverSteps.indexOf(last) + 1);
        const skipped = until.reduce(
          (record, step) => endStep(startStep(record, step, 1, 'start'), step, end('', 'skipped')),
          newRecord(proof && { proof }),
        );
        expect(nextMove(skipped)).toEqual({ move: 'step', step: 'fence' });
        expect(nextMove({ ...skipped, proof: 'isolated' })).not.toEqual({ move: 'step', step: 'fence' });
        const optional = { ...skipped, policy: { ...skipped.policy, proof: 'optional' as const } };
        expect(nextMove(optional)).not.toEqual({ move: 'step', step: 'fence' });
      }
    },
  );

  it('is to undo as soon as the node lives, whatever was begun, until that is done', () => {
    const undoing = startUndoing(startStep(newRecord(), 'claim', 1, 'start'), 'its Lease was renewed');
    expect(nextMove(undoing)).toEqual({ move: 'undo' });
    expect(nextMove(close(undoing, 'then'))).toEqual({ move: 'nothing' });
  });
});

describe('a step', () => {
  it('that is done anew is open again, and so is everything after it', () => {
    const anew = startStep(finished, 'fence', 2, 'anew');
    expect(Object.keys(anew.steps)).toEqual(['claim', 'cordon', 'fence']);
    expect(anew.steps.fence).toMatchObject({ startedAt: 'start', epoch: 2 });
    expect(anew.steps.fence).not.toHaveProperty('outcome');
    expect(anew.steps.fence).not.toHaveProperty('endedAt');
    expect(anew.steps.cordon).toEqual(finished.steps.cordon);
  });

  it('keeps the time at which it first began when a later leader takes it up', () => {
    const first = startStep(newRecord(), 'claim', 1, 'first');
    const second = startStep(
      noteStep(first, 'claim', { detail: 'waiting', spentMs: 0 }),
      'claim',
      2,
      'second',
    );
    expect(second.steps.claim).toEqual({ startedAt: 'first', epoch: 2, detail: 'waiting', spentMs: 0 });
    expect(second.epoch).toBe(2);
  });

  it('that was never begun takes no note', () => {
    expect(noteStep(newRecord(), 'fence', { detail: 'waiting', spentMs: 0 })).toEqual(newRecord());
  });

  it('replaces what it waited for by what it came to', () => {
    const noted = noteStep(startStep(newRecord(), 'fence', 3, 'start'), 'fence', {
      detail: 'waiting',
      spentMs: 0,
    });
    expect(endStep(noted, 'fence', end('proof: powered-off')).steps.fence).toEqual({
      startedAt: 'start',
      epoch: 3,
      endedAt: 'end',
      outcome: 'done',
      detail: 'proof: powered-off',
    });
  });

  it('changes nothing but itself', () => {
    const before = startStep(finished, 'verify', 9, 'again');
    const { verify: _, ...others } = before.steps;
    const { verify: __, ...same } = finished.steps;
    expect(others).toEqual(same);
  });
});

describe('a takeover that is closed', () => {
  const pod = { namespace: 'default', name: 'db-0', uid: 'db', volumes: [] };
  const replacement = { uid: 'db2', node: 'node-2', readyAt: 'then' };

  it.each([
    { what: 'without any pods', change: {}, result: 'recovered' },
    {
      what: 'with its StatefulSet pod Ready elsewhere',
      change: { pods: [{ ...pod, statefulSet: 'db', replacement }] },
      result: 'recovered',
    },
    {
      what: 'with one of two not Ready',
      change: {
        pods: [
          { ...pod, statefulSet: 'db', replacement },
          { ...pod, statefulSet: 'db' },
        ],
      },
      result: 'incomplete',
    },
    { what: 'with a pod that nobody recreates under its name', change: { pods: [pod] }, result: 'recovered' },
    {
      what: 'undone, whatever its pods',
      change: { undoing: 'it lives', pods: [{ ...pod, statefulSet: 'db' }] },
      result: 'undone',
    },
  ])('$what is $result', ({ change, result }) => {
    expect(close({ ...finished, ...change }, 'then')).toMatchObject({ result, closedAt: 'then' });
  });
});

/** What one leader manages before the next takes over: how many moves, and whether its last save got through. */
const lives = fc.array(fc.record({ moves: fc.nat(6), lastSaved: fc.boolean(), waits: fc.boolean() }), {
  maxLength: 12,
});

describe('any line of leaders, each dying somewhere between two saves', () => {
  it('do each step to its end once and in order, and come to an end', () => {
    fc.assert(
      fc.property(lives, fc.option(fc.nat(6), { nil: undefined }), (line, livesAt) => {
        let stored = newRecord({ proof: 'powered-off' });
        const saved: string[] = [];
        let acts = 0;
        // One who lives for ever comes last.
        for (const [index, { moves, lastSaved, waits }] of [
          ...line,
          { moves: 100, lastSaved: true, waits: false },
        ].entries()) {
          const epoch = index + 2;
          let seen = stored;
          for (let move = 1; move <= moves; move++) {
            const next = nextMove(seen);
            let after: TakeoverRecord;
            if (next.move === 'nothing') break;
            if (next.move === 'step') {
              const taken = seen.steps[next.step]?.epoch === epoch;
              if (!taken) after = startStep(seen, next.step, epoch, `${epoch}`);
              else if (waits && move % 3 === 0)
                after = noteStep(seen, next.step, { detail: `waiting ${move}`, spentMs: move });
              else if (takeoverSteps.indexOf(next.step) === livesAt && livesAt < 5)
                after = startUndoing(seen, 'it lives');
              else {
                acts++;
                after = endStep(seen, next.step, end());
              }
            } else {
              after = close(seen, 'then');
            }
            // What was never written is not there for the next leader.
            if (move === moves && !lastSaved) break;
            const ended = takeoverSteps.filter(
              (step) => after.steps[step]?.outcome !== seen.steps[step]?.outcome,
            );
            saved.push(...ended);
            stored = seen = after;
          }
        }
        expect(nextMove(stored)).toEqual({ move: 'nothing' });
        const undone = livesAt !== undefined && livesAt < 5;
        expect(stored.result).toBe(undone ? 'undone' : 'recovered');
        expect(saved).toEqual(takeoverSteps.slice(0, undone ? livesAt : undefined));
        expect(acts).toBeGreaterThanOrEqual(saved.length);
      }),
    );
  });

  it('never find nothing left to do before there is a result', () => {
    const step = fc.constantFrom(...takeoverSteps);
    const change = fc.oneof(
      step.map((name) => (record: TakeoverRecord) => startStep(record, name, 1, 'start')),
      step.map(
        (name) => (record: TakeoverRecord) => noteStep(record, name, { detail: 'waiting', spentMs: 0 }),
      ),
      step.map((name) => (record: TakeoverRecord) => endStep(record, name, end())),
      fc.constant((record: TakeoverRecord) => startUndoing(record, 'it lives')),
      fc.constant((record: TakeoverRecord) => close(record, 'then')),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const record = changes.reduce((before, apply) => apply(before), newRecord());
        expect(nextMove(record).move === 'nothing').toBe(record.result !== undefined);
      }),
    );
  });
});
