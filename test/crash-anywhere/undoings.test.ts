// Kills the leader before and after every write by which a takeover is undone, of a node that came back in time.
import { describe, expect, it } from 'vitest';
import { deathsIn, performWithDeath, rehearse } from './deaths.ts';
import { expectUndone } from './expectations.ts';

const rehearsal = await rehearse({ node: 'delete', fencer: 'switch', fate: 'comes-back', deaths: 1 });

describe('a takeover that is undone', () => {
  it('leaves nothing behind when nobody dies', () => {
    expectUndone(rehearsal.first);
    expect(rehearsal.first.events).toContain('TakeoverUndone');
  });

  it.each(deathsIn(rehearsal.first, 'return'))(
    'leaves nothing behind when the leader dies $moment write $write, $what',
    async (death) => {
      expectUndone(await performWithDeath(rehearsal, death));
    },
  );
});
