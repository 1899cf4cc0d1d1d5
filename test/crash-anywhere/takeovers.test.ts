// Kills the leader before and after every write of a takeover, whichever those are: they are read off a first run.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deathsIn, performWithDeath, rehearse } from './deaths.ts';
import { expectMarksWhereTheyBelong, expectTakenOver } from './expectations.ts';
import { type Death, perform } from './performance.ts';
import type { Story } from './story.ts';

const stories = (['delete', 'keep'] as const).flatMap((node) =>
  (['none', 'switch'] as const).map((fencer): Story => ({ node, fencer, fate: 'stays-off', deaths: 1 })),
);

describe.each(await Promise.all(stories.map(rehearse)))('a takeover ($title)', (rehearsal) => {
  const { story, first } = rehearsal;

  it('comes to its end when nobody dies', () => {
    expectTakenOver(first);
    expectMarksWhereTheyBelong(first);
    expect(first.fencing.answersLost).toBe(0);
    const kinds = new Set(first.writes.map(({ kind }) => kind));
    for (const kind of ['record', 'event', 'change-node', 'mark-out-of-service', 'delete-pod'] as const) {
      expect(kinds).toContain(kind);
    }
    expect(kinds.has('delete-node')).toBe(story.node === 'delete');
  });

  it.each(deathsIn(first, 'takeover'))(
    'comes to its end when the leader dies $moment write $write, $what',
    async (death) => {
      const performance = await performWithDeath(rehearsal, death);
      expectTakenOver(performance);
      expectMarksWhereTheyBelong(performance);
    },
  );
});

describe('a ladder', async () => {
  const ladder: Story = { node: 'keep', fencer: 'ladder', fate: 'stays-off', deaths: 1 };
  const rehearsal = await rehearse(ladder);

  it('is climbed to its end when nobody dies', () => {
    expectTakenOver(rehearsal.first);
    const [record] = rehearsal.first.records;
    expect(record?.climb?.rungs.map(({ fencer, end }) => [fencer, end])).toEqual([
      ['bmc', 'failed'],
      ['pdu', 'time-out'],
      ['switch', undefined],
    ]);
  });

  it.each(deathsIn(rehearsal.first, 'takeover').filter(({ what }) => /^record: .*fence/.test(what)))(
    'is climbed on, no rung anew, when the leader dies $moment write $write, $what',
    async (death) => {
      const performance = await performWithDeath(rehearsal, death);
      expectTakenOver(performance);
      const [record] = performance.records;
      const { round, rungs = [] } = record?.climb ?? {};
      expect(round).toBe(1);
      expect(rungs.map(({ fencer, end }) => [fencer, end])).toEqual([
        ['bmc', 'failed'],
        ['pdu', 'time-out'],
        ['switch', undefined],
      ]);
      // Each began as the one before it was over, and had no more than its time.
      const [bmc, pdu, last] = rungs;
      expect(pdu?.beganMs).toBeGreaterThanOrEqual(bmc?.overMs ?? 0);
      expect(last?.beganMs).toBe(pdu?.overMs);
      expect((pdu?.overMs ?? 0) - (pdu?.beganMs ?? 0)).toBeLessThan(9_500);
    },
  );
});

describe('the fencer', () => {
  it('is called a second time only when the leader died before its answer was on record', async () => {
    const rehearsal = await rehearse({ node: 'delete', fencer: 'switch', fate: 'stays-off', deaths: 1 });
    const calls = new Map<string, number>();
    for (const death of deathsIn(rehearsal.first, 'takeover')) {
      if (!/^record: .*fence/.test(death.what)) continue;
      const { fencing } = await performWithDeath(rehearsal, death);
      calls.set(`${death.moment} ${death.what}`, fencing.asked);
    }
    expect(Object.fromEntries(calls)).toEqual({
      'before record: cordon done, fence begun': 1,
      'after record: cordon done, fence begun': 1,
      'before record: fence done, recheck begun': 2,
      'after record: fence done, recheck begun': 1,
    });
  });
});

describe('a takeover whose second leader dies, too', () => {
  const moments = fc.constantFrom<Death['moment']>('before', 'after');
  const deaths = fc.tuple(fc.nat(28), moments, fc.nat(28), moments);

  it('comes to its end, wherever the two died', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<Story['node']>('delete', 'keep'),
        deaths,
        async (node, [write, moment, later, laterMoment]) => {
          const second = { write: write + 1 + later, moment: laterMoment };
          const story: Story = { node, fencer: 'switch', fate: 'stays-off', deaths: 2 };
          const performance = await perform(story, [{ write, moment }, second]);
          // A leader may have finished before it came to the write that it was to die of.
          const reached = [write, second.write].filter((index) => index < performance.writes.length);
          const whose = new Set(reached.map((index) => performance.writes[index]?.by));
          expect(new Set(performance.died)).toEqual(whose);
          expectTakenOver(performance);
          expectMarksWhereTheyBelong(performance);
        },
      ),
      { numRuns: 12 },
    );
  });
});
