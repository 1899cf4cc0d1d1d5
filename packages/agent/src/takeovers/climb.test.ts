import { expect, it } from 'vitest';
import { takeoverRecord } from '../testing/puppet-controller.ts';
import { rungsOf } from './climb.ts';
import { proofWords } from './list.ts';
import { summaryOf } from './summary.ts';
import { timeline } from './timeline.ts';

const began = { round: 1, startedAt: '2026-01-01T00:00:00.000Z', epoch: 7 } as const;
const climbing = takeoverRecord({
  policy: {
    name: 'all',
    node: 'delete',
    proof: 'required',
    drivers: ['bmc', 'pdu', 'manual'],
    ladder: [{ fencer: 'bmc', forMs: 60_000 }, { fencer: 'pdu' }, { fencer: 'manual' }],
  },
  climb: {
    round: 1,
    rung: 1,
    rungs: [
      { ...began, fencer: 'bmc', beganMs: 0, overMs: 60_000, end: 'time-out', detail: 'no answer' },
      {
        ...began,
        startedAt: '2026-01-01T00:01:00.000Z',
        fencer: 'pdu',
        beganMs: 60_000,
        detail: 'outlet 7 is on',
      },
    ],
  },
  steps: {
    claim: { startedAt: '2026-01-01T00:00:00.000Z', epoch: 7, outcome: 'done' },
    cordon: { startedAt: '2026-01-01T00:00:00.000Z', epoch: 7, outcome: 'done' },
    fence: { startedAt: '2026-01-01T00:00:00.000Z', epoch: 7, spentMs: 80_000, detail: 'waits' },
  },
});
const now = '2026-01-01T00:01:20.000Z';

it('of a ladder that is climbed one sees who is asked, how much of its time is left, and what the others said', () => {
  expect(rungsOf(climbing)).toMatchObject([
    { fencer: 'bmc', state: 'time-out', tookMs: 60_000, detail: 'no answer' },
    { fencer: 'pdu', state: 'asked', tookMs: 20_000, leftMs: 70_000, detail: 'outlet 7 is on' },
  ]);
  expect(proofWords(summaryOf(climbing, now))).toBe('pdu is asked, 1m10s left');
  expect(timeline(climbing, now, undefined).join('\n')).toMatch(
    /^ {2}pdu +has its turn, 1m10s left +outlet 7 is on$/m,
  );
});

it('of one that came to a proof one sees whose it is, and on whose word', () => {
  const proven = {
    ...climbing,
    proof: 'powered-off',
    fencer: 'pdu',
    proofEvidence: [{ witness: 'pdu-3', said: 'outlet 7 Off', at: '2026-01-01T00:01:19.000Z' }],
    steps: { fence: { startedAt: '2026-01-01T00:00:00.000Z', epoch: 7, outcome: 'done', endedAt: now } },
  } as const;
  expect(rungsOf(proven).map(({ fencer, state }) => `${fencer} ${state}`)).toEqual([
    'bmc time-out',
    'pdu proof',
  ]);
  expect(timeline(proven, now, undefined).join('\n')).toMatch(
    /^ {2}2026-01-01 00:01:19Z +pdu-3 +outlet 7 Off$/m,
  );
});

it('a takeover in which nobody was asked has no rungs', () => {
  expect(rungsOf(takeoverRecord())).toEqual([]);
});
