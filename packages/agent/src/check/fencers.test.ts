import type { DrillStatus, RungStatus } from '@liberator/core';
import { describe, expect, it } from 'vitest';
import { drillText } from '../status/drill-text.ts';
import { judgeDrill, judgePublished } from './fencers.ts';

const at = '2026-01-01T03:00:00.000Z';
const rung = (fencer: string, counts: Partial<RungStatus>): RungStatus => ({
  fencer,
  ready: 0,
  notReady: 0,
  waiting: 0,
  ...counts,
});
const status = (ladder: readonly RungStatus[], attention: DrillStatus['attention'] = []): DrillStatus => ({
  everyMs: 3_600_000,
  since: '2026-01-01T00:00:00.000Z',
  policies: [{ policy: 'all', nodes: 48, ladder }],
  attention,
  more: 0,
});
const refused = {
  node: 'node-7',
  policy: 'all',
  fencer: 'bmc',
  problem: { machine: 'unknown', power: 'unknown', mayAct: 'unknown', detail: 'the password is refused' },
  checkedAt: '2026-01-01T02:59:00.000Z',
  readyAt: '2026-01-01T00:00:00.000Z',
} as const;

describe('what fencers say', () => {
  it.each<[string, DrillStatus, readonly string[]]>([
    ['all are ready', status([rung('bmc', { ready: 48 })]), ['ok policy all: bmc']],
    ['some are', status([rung('bmc', { ready: 47, notReady: 1 })], [refused]), ['warning policy all: bmc']],
    ['nobody was asked yet', status([rung('bmc', { waiting: 48 })]), ['skipped policy all: bmc']],
    ['humans are asked', status([rung('manual', { unchecked: true })]), ['ok policy all: manual']],
    [
      'none is ready, and a human is behind them',
      status([rung('bmc', { notReady: 48 }), rung('manual', { unchecked: true })]),
      ['warning policy all: bmc', 'ok policy all: manual'],
    ],
    [
      'none is ready, and nobody is behind them',
      status([rung('bmc', { notReady: 48 })]),
      ['warning policy all: bmc', 'failure policy all'],
    ],
  ])('when %s', (_, drill, found) => {
    expect(judgeDrill(drill).map(({ mark, what }) => `${mark} ${what}`)).toEqual(found);
  });

  it('is named with the device’s own words', () => {
    expect(judgeDrill(status([rung('bmc', { ready: 47, notReady: 1 })], [refused]))[0]?.detail).toBe(
      'could not fence 1 of 48 nodes that it was asked about: node-7: the password is refused',
    );
  });

  it('is not looked at where nobody has published it', () => {
    expect(judgePublished(undefined)[0]?.mark).toBe('skipped');
  });

  it('is in the status in 80 columns', () => {
    const drill = status(
      [rung('bmc', { ready: 47, notReady: 1 }), rung('manual', { unchecked: true })],
      [refused],
    );
    expect(`\n${drillText(drill, at, 80).join('\n')}\n`).toBe(`
POLICY  FENCER  ASKED EVERY 1h WHETHER IT COULD FENCE
all     bmc     47 ready, 1 NOT READY
all     manual  can not be asked

NODE    FENCER  LAST READY  SAYS
node-7  bmc     3h ago      the password is refused
`);
  });
});
