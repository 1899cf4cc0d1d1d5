import { describe, expect, it } from 'vitest';
import { newSchedule, nextTurn, putBack, type Schedule, urgentTurn, withSubjects } from './schedule.ts';

const everyMs = 3_600_000;
const keys = (count: number): ReadonlySet<string> =>
  new Set(Array.from({ length: count }, (_, i) => `node-${i} bmc`));

/** All turns until `untilMs`, looked for twice a second as a leader does. */
function turns(
  start: Schedule,
  untilMs: number,
  more: {
    readonly fromMs?: number;
    readonly urgent?: readonly string[];
    readonly mayAsk?: (key: string) => boolean;
  } = {},
): { readonly asked: readonly { at: number; key: string }[]; readonly schedule: Schedule } {
  const { fromMs = 0, urgent = [], mayAsk = () => true } = more;
  const asked: { at: number; key: string }[] = [];
  let schedule = start;
  for (let now = fromMs; now <= untilMs; now += 500) {
    for (;;) {
      const turn =
        urgentTurn(schedule, urgent, { now, mayAsk }) ?? nextTurn(schedule, { now, everyMs, mayAsk });
      if (turn === undefined) break;
      schedule = turn.schedule;
      asked.push({ at: now, key: turn.key });
    }
  }
  return { asked, schedule };
}

describe('whose turn it is to be checked', () => {
  it('is nobody’s where there is nobody', () => {
    expect(turns(newSchedule(), 10_000).asked).toEqual([]);
  });

  it('begins at once, and in a small cluster everybody had one within half a minute', () => {
    const { asked } = turns(withSubjects(newSchedule(), keys(3)), 60_000);
    expect(asked.map(({ at, key }) => `${at} ${key}`)).toEqual([
      '0 node-0 bmc',
      '10000 node-1 bmc',
      '20000 node-2 bmc',
    ]);
  });

  it('comes to each of thousands in the first five minutes, and never to many of them at once', () => {
    const { asked } = turns(withSubjects(newSchedule(), keys(5_000)), 305_000);
    expect(new Set(asked.map(({ key }) => key)).size).toBe(5_000);
    const atOnce = Map.groupBy(asked, ({ at }) => at);
    expect(Math.max(...[...atOnce.values()].map((some) => some.length))).toBeLessThan(20);
  });

  it('then comes to each once an interval, evenly spread', () => {
    const first = turns(withSubjects(newSchedule(), keys(60)), 300_000);
    const { asked } = turns(first.schedule, 300_000 + 10 * everyMs, { fromMs: 300_500 });
    const byKey = Map.groupBy(asked, ({ key }) => key);
    expect(byKey.size).toBe(60);
    for (const some of byKey.values()) {
      expect(some.length).toBeGreaterThanOrEqual(9);
      expect(some.length).toBeLessThanOrEqual(11);
    }
    const gaps = asked.slice(1).map(({ at }, i) => at - (asked[i]?.at ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThan(50_000);
    expect(Math.max(...gaps)).toBeLessThan(70_000);
  });

  it('is a newcomer’s before that of anybody who was asked', () => {
    const known = turns(withSubjects(newSchedule(), keys(60)), 600_000).schedule;
    const grown = withSubjects(known, new Set([...keys(60), 'new bmc']));
    expect(turns(grown, 700_000, { fromMs: 600_500 }).asked[0]?.key).toBe('new bmc');
  });

  it('is forgotten of whoever left', () => {
    const { schedule } = turns(withSubjects(newSchedule(), keys(3)), 10_000);
    const fewer = withSubjects(schedule, new Set(['node-2 bmc']));
    expect([...fewer.fresh, ...fewer.asked.keys()]).toEqual(['node-2 bmc']);
  });

  it('passes by who may not be asked now, and comes back to them once they may', () => {
    let free = false;
    const mayAsk = (key: string): boolean => free || key !== 'node-0 bmc';
    const busy = turns(withSubjects(newSchedule(), keys(3)), 60_000, { mayAsk });
    expect(busy.asked.map(({ key }) => key)).toEqual(['node-1 bmc', 'node-2 bmc']);
    free = true;
    const after = turns(busy.schedule, 3_000_000, { fromMs: 60_500, mayAsk });
    expect(after.asked[0]?.key).toBe('node-0 bmc');
  });

  it('is at once that of somebody whose answer is waited for, again every ten seconds, and takes nobody else’s', () => {
    const { schedule } = turns(withSubjects(newSchedule(), keys(60)), 600_000);
    const { asked } = turns(schedule, 625_000, { fromMs: 600_500, urgent: ['node-7 bmc'] });
    expect(asked.filter(({ key }) => key === 'node-7 bmc').map(({ at }) => at)).toEqual([
      600_500, 610_500, 620_500,
    ]);
    const turn = urgentTurn(schedule, ['node-7 bmc'], { now: 600_500, mayAsk: () => true });
    expect(turn?.schedule.lastAt).toBe(schedule.lastAt);
  });

  it('comes again before all others to who was asked in vain', () => {
    const { schedule } = turns(withSubjects(newSchedule(), keys(60)), 600_000);
    const back = putBack(schedule, 'node-9 bmc');
    expect(turns(back, 700_000, { fromMs: 600_500 }).asked[0]?.key).toBe('node-9 bmc');
  });

  it('is not made up for all at once after a time in which nobody could be asked', () => {
    const { schedule } = turns(withSubjects(newSchedule(), keys(60)), 600_000);
    const { asked } = turns(schedule, 10 * everyMs + 500, { fromMs: 10 * everyMs });
    expect(asked.length).toBeLessThan(4);
  });
});
