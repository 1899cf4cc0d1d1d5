// What lies between a decision and the first write of its takeover: nothing.
import { describe, expect, it } from 'vitest';
import { noneFencer } from '../fencing/none.ts';
import { endlessTerm, newRecord } from '../testing/dead-node.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { MemoryCluster } from '../testing/memory-cluster.ts';
import { TakeoverExecutor } from './executor.ts';
import { RecordBook } from './records/record-book.ts';
import { Takeovers } from './takeovers.ts';

describe('takeovers that are started', () => {
  it('are all asked for at once, whatever becomes of the others', async () => {
    const clock = new ManualClock({ turns: 1 });
    const cluster = new MemoryCluster(clock);
    const term = endlessTerm(clock, 1);
    // The very first one gets no answer to anything.
    cluster.fateOf = ({ target }) => (target === 'death-0' ? { outcome: 'unanswered' } : undefined);
    const takeovers = new Takeovers({
      term,
      clock,
      executor: new TakeoverExecutor({ cluster, clock, fencers: [noneFencer], onProgress: () => {} }),
      witness: { lifeSign: () => undefined, holds: () => [] },
      records: new RecordBook(),
      troubles: { failed: () => {}, over: () => {} },
      onUnreadable: () => {},
      onWork: () => {},
      onError: () => {},
    });
    for (let i = 0; i < 750; i++) {
      const id = `death-${i}`;
      const node = { name: `node-${i}`, uid: `uid-${i}`, bootId: '' };
      takeovers.start(node.name, newRecord({ id, deathId: id, node }));
    }
    // Not a millisecond passes, and no answer has come yet.
    for (let turns = 0; turns < 3; turns++) await Promise.resolve();
    const asked = cluster.calls.map(({ method, target }) => `${method} ${target}`).slice(0, 750);
    expect(asked).toEqual(Array.from({ length: 750 }, (_, i) => `createRecord death-${i}`));
    term.end('enough was seen');
    await clock.advance(2_000);
    await takeovers.settled();
  });
});
