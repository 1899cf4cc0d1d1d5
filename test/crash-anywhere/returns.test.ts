// Kills the leader before and after every write by which a node that came back is taken in again.
import { describe, expect, it } from 'vitest';
import { deathsIn, performWithDeath, rehearse } from './deaths.ts';
import { expectTakenIn, expectTakenOver } from './expectations.ts';
import type { Story } from './story.ts';

const stories = (['delete', 'keep'] as const).flatMap((node) =>
  (['boots', 'was-cut-off'] as const).map((fate): Story => ({ node, fencer: 'none', fate, deaths: 1 })),
);

describe.each(await Promise.all(stories.map(rehearse)))('the return of a node ($title)', (rehearsal) => {
  const { story, first } = rehearsal;
  const expectedEvents = [
    ...(story.node === 'delete' ? ['NodeRestored'] : []),
    ...(story.fate === 'was-cut-off' ? ['NodeQuarantined'] : []),
    'NodeReturned',
  ];

  it('comes to its end when nobody dies', () => {
    expectTakenOver(first);
    expectTakenIn(first);
    expect(first.events).toEqual(expect.arrayContaining(expectedEvents));
  });

  it.each(deathsIn(first, 'return'))(
    'comes to its end when the leader dies $moment write $write, $what',
    async (death) => {
      const performance = await performWithDeath(rehearsal, death);
      expectTakenOver(performance);
      expectTakenIn(performance);
      const lost = expectedEvents.filter((reason) => !performance.events.includes(reason));
      expect(lost.length).toBeLessThan(2);
      // The one Event on which a human has to act.
      expect(lost).not.toContain('NodeQuarantined');
    },
  );
});
