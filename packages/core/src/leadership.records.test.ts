// What a leader does about records: those that it can't read, those that nobody needs any more, and what ages in them.
import { describe, expect, it } from 'vitest';
import type { TakeoverRecord } from './takeover/record.ts';
import { endlessTerm, newRecord } from './testing/dead-node.ts';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';
import { sleep } from './time/clock.ts';

const minute = 60;
const hour = 60 * minute;

function put(story: LeadershipStory, record: object, id = 'abc'): void {
  const stored = { record: record as TakeoverRecord, resourceVersion: '1', annotations: {} };
  story.cluster.records.set(id, stored);
}

const noNode = { version: 1, id: 'abc', deathId: 'abc', epoch: 3, steps: {}, pods: [] };

async function lead(story: LeadershipStory, epoch: number): Promise<LeadershipStory> {
  story.lead(epoch);
  await story.leading?.takeUp();
  return story;
}

describe('a record that can’t be read', () => {
  it.each([undefined, 'recovered'])(
    '(result %s) stops no leader: a node that dies is taken over',
    async (result) => {
      const story = new LeadershipStory();
      put(story, { ...noNode, ...(result && { result }) });
      await lead(story, 1);
      await story.pass(60);
      expect(story.results.at(-1)).toBe('death: recovered');
      expect(story.errors).toEqual([]);
      await story.crash();
      await lead(story, 2);
      await story.pass(2);
      expect(story.setAside).toHaveLength(2);
    },
  );

  it('is told once in a term, and is never written', async () => {
    const story = new LeadershipStory();
    const damaged = { ...newRecord({ id: 'abc' }), openedAt: 'yesterday' };
    put(story, damaged);
    await lead(story, 1);
    await story.pass(10 * minute);
    expect(story.setAside).toMatchObject([
      { name: 'liberator-takeover-abc', node: 'node-1', kind: 'damaged' },
    ]);
    expect(story.leading?.recordsSetAside).toEqual(story.setAside);
    expect(story.events('RecordSetAside')).toHaveLength(1);
    expect(story.events('RecordSetAside')[0]).toMatch(
      /liberator-takeover-abc.*openedAt.*"yesterday".*repair it/,
    );
    expect(story.cluster.records.get('abc')).toEqual({
      record: damaged,
      resourceVersion: '1',
      annotations: {},
    });
  });

  it('without a node is told as well, but on no node', async () => {
    const story = new LeadershipStory();
    put(story, noNode);
    await lead(story, 1);
    await story.pass(minute);
    expect(story.setAside).toHaveLength(1);
    expect(story.events('RecordSetAside')).toEqual([]);
  });

  it('under the id that a takeover would have stays as it is: the takeover has the next id', async () => {
    const story = new LeadershipStory();
    const id = story.nodes.get('node-1')?.deathId ?? '';
    const damaged = { ...newRecord({ id, deathId: id }), node: 'node-1' };
    put(story, damaged, id);
    await lead(story, 1);
    await story.pass(60);
    expect(story.records.map((record) => [record.id, record.result])).toEqual([
      [id, undefined],
      [`${id}-2`, 'recovered'],
    ]);
    expect(story.cluster.records.get(id)?.record).toEqual(damaged);
    expect(story.errors).toEqual([]);
  });

  it('and that appears only as the takeover is opened does not hold it either', async () => {
    const story = await lead(new LeadershipStory(), 1);
    const id = story.nodes.get('node-1')?.deathId ?? '';
    put(story, { id }, id);
    await story.pass(60);
    expect(story.records.at(-1)).toMatchObject({ id: `${id}-2`, result: 'recovered' });
    expect(story.setAside).toHaveLength(1);
    expect(story.errors).toEqual([]);
  });

  it('since somebody damaged it in the middle of its takeover is set aside, and the death gets another', async () => {
    const story = await lead(new LeadershipStory(), 1);
    story.fence = waiting;
    await story.pass(30);
    const [record] = story.records;
    if (record === undefined) throw new Error('there is no record');
    put(story, { ...record, pods: 'all of them' }, record.id);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    expect(story.setAside).toMatchObject([{ kind: 'damaged', problem: expect.stringContaining('pods') }]);
    expect(story.records.at(-1)).toMatchObject({ id: `${record.id}-2`, result: 'recovered' });
    expect(story.errors).toEqual([]);
  });

  it('and is mended when the other takeover is over does nothing more, and takes nothing off that is not its own', async () => {
    const story = await lead(new LeadershipStory({ node: 'keep' }), 1);
    story.fence = waiting;
    await story.pass(30);
    const [record] = story.records;
    if (record === undefined) throw new Error('there is no record');
    put(story, { ...record, pods: 'all of them' }, record.id);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    const asked = story.fenced.length;
    const marks = story.taints();
    put(story, record, record.id);
    await story.pass(3 * minute);
    expect(story.records.map(({ id, result }) => [id, result])).toEqual([
      [record.id, 'overtaken'],
      [`${record.id}-2`, 'recovered'],
    ]);
    expect(story.fenced).toHaveLength(asked);
    expect(story.taints()).toEqual(marks);
    expect(marks).toContain('node.kubernetes.io/out-of-service');
  });

  it('is taken up once somebody has mended it, by the same leader', async () => {
    const story = new LeadershipStory();
    const id = story.nodes.get('node-1')?.deathId ?? '';
    story.asleep.delete('node-1');
    put(story, { ...newRecord({ id, deathId: id }), reasons: 'none' }, id);
    await lead(story, 1);
    await story.pass(10);
    put(story, newRecord({ id, deathId: id, lastHeartbeat: 'long ago' }), id);
    await story.pass(2 * minute);
    expect(story.leading?.recordsSetAside).toEqual([]);
    expect(story.results).toEqual(['death: undone']);
  });

  it('is taken up without the label of records as well, where somebody has put it there anew', async () => {
    const story = new LeadershipStory();
    const id = story.nodes.get('node-1')?.deathId ?? '';
    story.asleep.delete('node-1');
    put(story, { ...newRecord({ id, deathId: id }), reasons: 'none' }, id);
    await lead(story, 1);
    await story.pass(10);
    put(story, newRecord({ id, deathId: id, lastHeartbeat: 'long ago' }), id);
    story.cluster.listRecords = async () => ({ records: [], unreadable: [] });
    await story.pass(2 * minute);
    expect(story.leading?.recordsSetAside).toEqual([]);
    expect(story.results).toEqual(['death: undone']);
  });

  it('is forgotten once somebody has deleted it', async () => {
    const story = new LeadershipStory();
    put(story, noNode);
    await lead(story, 1);
    await story.pass(10);
    expect(story.leading?.recordsSetAside).toHaveLength(1);
    story.cluster.records.clear();
    await story.pass(2 * minute);
    expect(story.leading?.recordsSetAside).toEqual([]);
  });
});

describe('a record that somebody puts there in the middle of a term', () => {
  it('is gone on with by the same leader', async () => {
    const story = await lead(new LeadershipStory(), 1);
    story.asleep.delete('node-1');
    await story.pass(minute);
    const { deathId = '' } = story.nodes.get('node-1') ?? {};
    put(story, newRecord({ id: 'late', deathId, lastHeartbeat: 'long ago' }), 'late');
    await story.pass(11 * minute);
    expect(story.results).toEqual(['late: undone']);
  });

  it('is set aside where it can’t be read', async () => {
    const story = await lead(new LeadershipStory(), 1);
    story.asleep.delete('node-1');
    await story.pass(minute);
    put(story, noNode);
    await story.pass(11 * minute);
    expect(story.leading?.recordsSetAside).toMatchObject([{ name: 'liberator-takeover-abc' }]);
  });

  it('is not mistaken for another where it is the leader’s own, of which it has no answer yet', async () => {
    const story = await lead(new LeadershipStory(), 1);
    story.asleep.delete('node-1');
    await story.pass(10 * minute - 40);
    story.die('node-1');
    // Created, as every list shows, long before the answer arrives.
    const create = story.cluster.createRecord.bind(story.cluster);
    story.cluster.createRecord = async (...call) => {
      const created = await create(...call);
      await sleep(story.clock, minute * 1_000);
      return created;
    };
    const listed: number[] = [];
    story.cluster.fateOf = ({ method }) => {
      if (method === 'listRecords') listed.push(story.cluster.records.size);
      return undefined;
    };
    await story.pass(10 * minute);
    expect(listed).toEqual([1]);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.progress.filter(({ step, phase }) => step === 'claim' && phase === 'done')).toHaveLength(1);
    expect(story.errors).toEqual([]);
  });
});

describe('a record of a newer version', () => {
  it('holds its node, and says so, while any other is taken over', async () => {
    const story = new LeadershipStory();
    put(story, { version: 2, id: 'abc', node: { name: 'node-1' }, whatever: true });
    await lead(story, 1);
    await story.pass(60);
    expect(story.setAside).toMatchObject([{ kind: 'newer', node: 'node-1' }]);
    expect(story.decisions.at(-1)?.decision.action).toBe('hold');
    expect(story.events('TakeoverHeld').join()).toMatch(
      /newer-record: record liberator-takeover-abc .* newer version/,
    );
    expect(story.records).toHaveLength(1);
    expect(story.taints()).toEqual(['team']);
    story.die('node-3');
    await story.pass(60);
    expect(story.results.at(-1)).toBe('death: recovered');
    expect(story.cluster.destroyed).toEqual(['uid-node-3']);
  });

  it('that names no node holds the death under whose id it lies', async () => {
    const story = new LeadershipStory();
    const id = story.nodes.get('node-1')?.deathId ?? '';
    put(story, { version: 2 }, id);
    await lead(story, 1);
    await story.pass(60);
    expect(story.decisions.at(-1)?.decision.action).toBe('hold');
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('holds a takeover that has begun, and lets it go on once it is gone', async () => {
    const story = new LeadershipStory();
    story.fence = waiting;
    await lead(story, 1);
    await story.pass(30);
    await story.crash();
    put(story, { version: 2, node: { name: 'node-1' } });
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await lead(story, 2);
    await story.pass(60);
    expect(story.cluster.destroyed).toEqual([]);
    story.cluster.records.delete('abc');
    await story.pass(3 * minute);
    expect(story.results).toEqual(['death: recovered']);
  });

  it('leaves the return of its node to whoever wrote it', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    await story.crash();
    put(story, { version: 2, node: { name: 'node-1' } });
    await lead(story, 2);
    story.boot('node-1', 'boot-2');
    await story.pass(2 * minute);
    expect(story.returns).toEqual([]);
  });
});

describe('old records', () => {
  /** What their leaders' wall clocks said is no order at all. */
  async function withRecords(count: number, change: Partial<TakeoverRecord> = {}): Promise<LeadershipStory> {
    const story = new LeadershipStory();
    story.asleep.delete('node-1');
    const term = endlessTerm(story.clock, 1);
    for (let i = 0; i < count; i++) {
      const at = new Date(Date.UTC(2029, 0, 1 + count - i)).toISOString();
      await story.cluster.createRecord(
        term,
        newRecord({
          id: `old-${i}`,
          deathId: `old-${i}`,
          result: 'recovered',
          proof: 'powered-off',
          openedAt: at,
          closedAt: at,
          order: { epoch: Math.floor(i / 20), number: i % 20 },
          node: { name: `gone-${i}`, uid: `g${i}`, bootId: '' },
          ...change,
        }),
      );
    }
    return story;
  }
  const ids = (story: LeadershipStory): readonly string[] => story.records.map(({ id }) => id);

  it('beyond fifty are removed, those that were opened first before the others, whatever wall clocks say', async () => {
    const story = await lead(await withRecords(60), 4);
    await story.pass(5);
    expect(ids(story)).toEqual(Array.from({ length: 50 }, (_, i) => `old-${i + 10}`));
  });

  it('that come back out of a backup are removed by the leader that leads by then', async () => {
    const story = await lead(await withRecords(60), 4);
    const all = [...story.cluster.records];
    await story.pass(5);
    for (const [id, stored] of all) if (!story.cluster.records.has(id)) story.cluster.records.set(id, stored);
    expect(story.records).toHaveLength(60);
    await story.pass(11 * minute);
    expect(ids(story).toSorted()).toEqual(Array.from({ length: 50 }, (_, i) => `old-${i + 10}`).toSorted());
  });

  it('of older versions, which have no order, go before all others, by the epoch of their claim', async () => {
    const story = await withRecords(50);
    const { order: _, ...unordered } = newRecord({
      result: 'recovered',
      proof: 'powered-off',
      openedAt: '2035-01-01T00:00:00.000Z',
      node: { name: 'gone', uid: 'g', bootId: '' },
    });
    const claim = (epoch: number): TakeoverRecord['steps'] => ({
      claim: { startedAt: '2035-01-01T00:00:00.000Z', epoch },
    });
    const term = endlessTerm(story.clock, 1);
    const record = { ...unordered, epoch: 9 };
    await story.cluster.createRecord(term, { ...record, id: 'later', steps: claim(3) });
    await story.cluster.createRecord(term, { ...record, id: 'former', steps: claim(2) });
    await lead(story, 10);
    story.cluster.fateOf = ({ method, target }) =>
      method === 'deleteRecord' && target !== 'former' ? { outcome: 'failed' } : undefined;
    await story.pass(5);
    expect(ids(story)).not.toContain('former');
    expect(ids(story)).toContain('later');
    story.cluster.fateOf = () => undefined;
    await story.pass(minute);
    expect(ids(story)).not.toContain('later');
    expect(ids(story)).toHaveLength(50);
  });

  it('are removed in the background, one after another, and not before the first look', async () => {
    const story = await withRecords(60);
    story.lead(4);
    let underway = 0;
    let most = 0;
    story.cluster.fateOf = ({ method }) => {
      if (method !== 'deleteRecord') return undefined;
      most = Math.max(most, ++underway);
      return { after: () => void underway-- };
    };
    await story.leading?.takeUp();
    expect(story.cluster.calls.some(({ method }) => method === 'deleteRecord')).toBe(false);
    await story.pass(5);
    expect(story.records).toHaveLength(50);
    expect(most).toBe(1);
  });

  it('are removed as takeovers close, in the term in which they were opened', async () => {
    const story = await lead(new LeadershipStory(), 1);
    story.fence = waiting;
    for (let i = 0; i < 60; i++) {
      story.die('node-1');
      await story.pass(30);
      story.boot('node-1', 'boot-1');
      await story.pass(10);
    }
    expect(story.results.length).toBeLessThanOrEqual(51);
    expect(story.progress.filter(({ step, phase }) => step === 'undo' && phase === 'done').length).toBe(60);
  });

  it('under way are never removed, nor is one that is set aside', async () => {
    const story = await withRecords(60);
    story.asleep.add('node-1');
    await story.cluster.createRecord(
      endlessTerm(story.clock, 1),
      newRecord({ id: 'running', order: { epoch: 0, number: 0 } }),
    );
    story.fence = waiting;
    put(story, noNode);
    await lead(story, 4);
    await story.pass(5);
    expect(ids(story)).toContain('running');
    expect(story.cluster.records.has('abc')).toBe(true);
  });

  it('are kept however old while their node has not returned: they alone tell how to take it in', async () => {
    const story = await withRecords(60);
    const { policy } = newRecord();
    const old = { result: 'recovered', proof: 'powered-off', closedAt: '2020-01-01T00:00:00.000Z' } as const;
    const keep = { ...policy, node: 'keep' as const };
    const term = endlessTerm(story.clock, 1);
    const here = { name: 'node-2', uid: 'uid-node-2', bootId: '' };
    const gone = { name: 'nowhere', uid: 'nowhere', bootId: '' };
    await story.cluster.createRecord(term, newRecord({ ...old, id: 'awaited', policy: keep, node: here }));
    await story.cluster.createRecord(term, newRecord({ ...old, id: 'nobody', policy: keep, node: gone }));
    await lead(story, 4);
    await story.pass(5);
    expect(ids(story)).toContain('awaited');
    expect(ids(story)).not.toContain('nobody');
    expect(ids(story)).toHaveLength(51);
  });

  it.each([
    { what: 'are kept: it counts towards the budget still', change: {}, left: 60 },
    { what: 'are removed once a window has passed', change: { windowPassed: true }, left: 50 },
    {
      what: 'are removed once its node is welcome again',
      change: {
        return: {
          uid: 'u',
          bootId: 'b',
          seenAt: '2030-01-01T00:00:00.000Z',
          restored: false,
          quarantined: false,
          welcomed: true,
          detail: 'it has booted again',
        },
      },
      left: 50,
    },
    { what: 'are removed where the takeover was undone', change: { result: 'undone' }, left: 50 },
  ] as const)('of a death without proof $what', async ({ change, left }) => {
    const story = await withRecords(60, { proof: 'none', ...change });
    await lead(story, 4);
    await story.pass(5);
    expect(story.records).toHaveLength(left);
  });

  it('of a quarantine, and of a mark that is still there, are kept, too', async () => {
    const story = await withRecords(60);
    const term = endlessTerm(story.clock, 1);
    const node = { name: 'node-2', uid: 'n2', bootId: 'boot-1' };
    const over = { result: 'recovered' as const, node };
    await story.cluster.createRecord(
      term,
      newRecord({ ...over, id: 'marked', outOfService: true, order: { epoch: 0, number: 1 } }),
    );
    await story.cluster.createRecord(
      term,
      newRecord({ ...over, id: 'judge', order: { epoch: 0, number: 2 } }),
    );
    await lead(story, 4);
    await story.pass(5);
    expect(ids(story)).toEqual(expect.arrayContaining(['marked', 'judge']));
  });

  it('of a death that lasts are kept, so that it is not taken over again', async () => {
    const story = await withRecords(60);
    story.die('node-1');
    const { deathId = '' } = story.nodes.get('node-1') ?? {};
    await story.cluster.createRecord(
      endlessTerm(story.clock, 1),
      newRecord({ id: deathId, deathId, result: 'overtaken', order: { epoch: 0, number: 0 } }),
    );
    await lead(story, 4);
    await story.pass(minute);
    expect(ids(story)).toContain(deathId);
    expect(story.fenced).toEqual([]);
  });

  it('are not removed by a leader that has not seen a single node', async () => {
    const story = await withRecords(60);
    for (const name of [...story.nodes.keys()]) story.loop.tell({ kind: 'node-gone', name });
    story.watching = false;
    await lead(story, 4);
    await story.pass(5);
    expect(story.records).toHaveLength(60);
  });

  it('of which one can’t be removed are removed all the same, but for that one', async () => {
    const story = await withRecords(55);
    const [first] = story.records;
    story.cluster.refuses = ({ method, target }) =>
      method === 'deleteRecord' && target === first?.id ? { message: 'a webhook says no' } : undefined;
    await lead(story, 4);
    await story.pass(5);
    expect(story.records).toHaveLength(51);
    expect(story.records.map(({ id }) => id)).toContain(first?.id);
    expect(story.errors).toHaveLength(1);
  });

  it('that can’t be removed stop nothing, start nothing twice, and are no flood', async () => {
    const story = await withRecords(53);
    story.asleep.add('node-1');
    await story.cluster.createRecord(endlessTerm(story.clock, 1), newRecord());
    story.cluster.fateOf = ({ method }) => (method === 'deleteRecord' ? { outcome: 'failed' } : undefined);
    await lead(story, 4);
    await story.pass(10 * minute);
    expect(story.errors.length).toBeGreaterThan(1);
    expect(story.errors.length).toBeLessThan(10);
    expect(story.errors[0]).toMatchObject({ where: 'takeover records' });
    const started = story.progress.filter(
      ({ phase, record }) => phase === 'started' && record.id === 'death',
    );
    expect(started.map(({ step }) => step)).toEqual([
      'claim',
      'cordon',
      'fence',
      'recheck',
      'release',
      'remove',
      'verify',
    ]);
  });
});

describe('what people had put on a Node that is away', () => {
  async function away(): Promise<LeadershipStory> {
    const story = await lead(new LeadershipStory(), 1);
    await story.pass(60);
    expect(story.records[0]?.keepsake?.labels).toEqual({ rack: '7' });
    return story;
  }

  it('is forgotten after a week of being watched, and then not put back', async () => {
    const story = await away();
    await story.skip(6 * 24 * hour);
    expect(story.records[0]?.keepsake).toBeDefined();
    await story.skip(26 * hour);
    expect(story.records[0]?.keepsake).toBeUndefined();
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(90);
    expect(story.cluster.nodes.get('node-1')?.metadata.labels).toBeUndefined();
    expect(story.returns).toMatchObject([{ move: 'welcome' }]);
  });

  it('ages through changes of leader, by what each of them saw, and not by any wall clock', async () => {
    const story = await away();
    await story.skip(4 * 24 * hour);
    const [record] = story.records;
    put(story, { ...record, openedAt: '2000-01-01T00:00:00.000Z' }, record?.id);
    await story.crash();
    await lead(story, 2);
    await story.skip(2 * 24 * hour);
    expect(story.records[0]?.keepsake).toBeDefined();
    await story.skip(26 * hour);
    expect(story.records[0]?.keepsake).toBeUndefined();
  });

  it('does not age while the Node is there', async () => {
    const story = await away();
    story.boot('node-1', 'boot-1', 'n1-anew');
    await story.skip(30 * hour);
    expect(story.records[0]?.keepsakeAgeMs).toBeUndefined();
  });
});
