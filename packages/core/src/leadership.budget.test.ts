// What counts towards the budget in a leader's hands, how much it does at once, and how often it tries again.
import { describe, expect, it } from 'vitest';
import type { FenceResult } from './fencing/fencer.ts';
import type { Policy } from './policy/policy.ts';
import { endlessTerm, newRecord } from './testing/dead-node.ts';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';
import type { Call } from './testing/memory-cluster.ts';

const unproven: Partial<Policy> = {
  fencing: { drivers: ['ipmi'], proof: 'optional' },
  budget: { maxDead: 2, maxDeadPercent: 34 },
};

const withoutProof = (): FenceResult => ({ outcome: 'fenced', proof: 'none', detail: 'nobody asked' });

/** Twelve nodes whose hosts have all been heard, of which node-1 is dead. */
function fleetOfTwelve(policy: Partial<Policy>, fence: () => FenceResult = withoutProof): LeadershipStory {
  const story = new LeadershipStory({ ...unproven, ...policy });
  story.fence = fence;
  for (let i = 5; i <= 12; i++) {
    const name = `node-${i}`;
    story.cluster.putNode({
      metadata: { name, uid: `uid-${i}` },
      status: { nodeInfo: { bootID: 'b' } },
    });
    story.ready(name);
    story.cluster.renew(name, '0');
  }
  story.watch();
  story.hearAll();
  return story;
}

const takenOver = (story: LeadershipStory): readonly string[] => story.records.map(({ node }) => node.name);

async function dieOneByOne(story: LeadershipStory, names: readonly string[]): Promise<void> {
  for (const name of names) {
    story.die(name);
    await story.pass(90);
  }
}

/** What the budget said last, of whichever node. */
function budgetOf(story: LeadershipStory): unknown {
  return story.decisions.at(-1)?.decision.verdicts.find(({ guard }) => guard === 'budget')?.verdict;
}

describe('the budget', () => {
  const later = ['node-3', 'node-4', 'node-5', 'node-6', 'node-7', 'node-8'];

  it.each([{ node: 'keep' }, { node: 'delete' }] as const)(
    'counts deaths whose takeovers are long over, with node: $node',
    async ({ node }) => {
      const story = fleetOfTwelve({ node }).lead(1);
      await story.pass(60);
      await dieOneByOne(story, later);
      expect(takenOver(story)).toEqual(['node-1', 'node-3']);
      expect(story.records.map(({ result }) => result)).toEqual(['recovered', 'recovered']);
      expect(budgetOf(story)).toMatchObject({
        outcome: 'hold',
        reason: expect.stringMatching(/^\d of 12 nodes are dead without proof \(node-1, node-3, node-4/),
      });
    },
  );

  it('does not count deaths that a device vouches for, not even while their takeovers go on', async () => {
    const story = fleetOfTwelve({}, () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' })).lead(
      1,
    );
    // The takeover of node-1 verifies for ten minutes: nothing makes its pod run elsewhere.
    story.cluster.replacementNode = undefined;
    await story.pass(60);
    expect(story.results).toEqual(['death: undefined']);
    await dieOneByOne(story, later);
    expect(new Set(takenOver(story))).toEqual(new Set(['node-1', ...later]));
  });

  it('counts a death for as long as the window is, then makes room for the next', async () => {
    const story = fleetOfTwelve({ budget: { maxDead: 1, maxDeadPercent: 50, windowMs: 300_000 } }).lead(1);
    await story.pass(60);
    story.die('node-3');
    await story.pass(240);
    expect(takenOver(story)).toEqual(['node-1']);
    await story.pass(60);
    expect(takenOver(story)).toEqual(['node-1', 'node-3']);
  });

  it('lets no more of those pass that an outage silenced than in any other window, once theirs has passed', async () => {
    const story = fleetOfTwelve({ budget: { maxDead: 2, maxDeadPercent: 50, windowMs: 300_000 } }).lead(1);
    for (const node of ['node-3', 'node-4', 'node-5', 'node-6']) story.die(node);
    await story.pass(280);
    expect(takenOver(story)).toEqual([]);
    await story.pass(180);
    expect(takenOver(story)).toHaveLength(2);
    await story.pass(180);
    expect(takenOver(story)).toHaveLength(4);
  });

  it('does not count a node that is back, though its takeover still looks after a pod', async () => {
    const story = fleetOfTwelve({ node: 'keep', budget: { maxDead: 1, maxDeadPercent: 50 } });
    story.cluster.replacementNode = undefined;
    story.lead(1);
    await story.pass(60);
    expect(story.records[0]?.steps.verify?.startedAt).toBeDefined();
    expect(story.results).toEqual(['death: undefined']);
    story.boot('node-1', 'boot-2');
    await story.pass(10);
    story.die('node-3');
    await story.pass(60);
    expect(takenOver(story)).toEqual(['node-1', 'node-3']);
  });

  it('does not take a Node for its return that only registers anew', async () => {
    const story = fleetOfTwelve({ budget: { maxDead: 1, maxDeadPercent: 50 } }).lead(1);
    await story.pass(60);
    story.cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } });
    story.asleep.add('node-1');
    await story.pass(10);
    story.die('node-3');
    await story.pass(60);
    expect(takenOver(story)).toEqual(['node-1']);
  });

  it('outlasts a change of leader, and begins no window anew', async () => {
    const story = fleetOfTwelve({ budget: { maxDead: 1, maxDeadPercent: 50, windowMs: 300_000 } }).lead(1);
    await story.pass(60);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    story.die('node-3');
    await story.pass(200);
    expect(takenOver(story)).toEqual(['node-1']);
    await story.pass(70);
    expect(takenOver(story)).toEqual(['node-1', 'node-3']);
  });

  it('outlasts a time of blindness', async () => {
    const story = fleetOfTwelve({ node: 'keep', budget: { maxDead: 1, maxDeadPercent: 50 } }).lead(1);
    await story.pass(60);
    story.regainSight();
    story.die('node-3');
    await story.pass(24);
    expect(story.nodes.get('node-1')?.health).not.toBe('dead');
    await story.pass(60);
    expect(takenOver(story)).toEqual(['node-1']);
  });
});

describe('the budget of a large fleet', () => {
  const budget = { maxDead: 60, maxDeadPercent: 50, maxRunning: 100, windowMs: 900_000 };
  const names = Array.from({ length: 150 }, (_, i) => `node-${i + 5}`);

  function hear(story: LeadershipStory): void {
    story.hearAll();
  }

  function largeFleet(): LeadershipStory {
    const story = new LeadershipStory({ ...unproven, budget });
    story.fence = withoutProof;
    for (const name of names) {
      story.cluster.putNode({
        metadata: { name, uid: `uid-${name}` },
        status: { nodeInfo: { bootID: 'b' } },
      });
      story.ready(name);
      story.cluster.renew(name, '0');
    }
    story.watch();
    hear(story);
    return story.lead(1);
  }

  it('outlasts the pruning of records and a restart of every replica', async () => {
    const story = largeFleet();
    // node-1 is dead already.
    for (const name of names.slice(0, 57)) {
      story.die(name);
      await story.pass(2);
    }
    await story.pass(60);
    expect(story.records).toHaveLength(58);
    await story.crash();

    const next = new LeadershipStory({ ...unproven, budget });
    next.fence = withoutProof;
    Object.assign(next, { cluster: story.cluster });
    for (const name of story.asleep) next.die(name);
    next.watch();
    hear(next);
    next.regainSight();
    next.lead(2);
    await next.leading?.takeUp();
    // Each in a look of its own: those that fall silent together count for one another.
    for (const name of names.slice(57, 63)) {
      next.die(name);
      await next.pass(12);
    }
    await next.pass(60);
    const released = [...story.progress, ...next.progress].filter(
      ({ step, phase }) => step === 'release' && phase === 'done',
    );
    expect(new Set(released.map(({ record }) => record.node.name)).size).toBe(60);
  });

  it('lets records be pruned once their deaths count no more', async () => {
    const story = largeFleet();
    for (const name of names.slice(0, 57)) {
      story.die(name);
      await story.pass(2);
    }
    await story.pass(1_200);
    expect(story.records).toHaveLength(50);
  });
});

describe('a replica that was just started', () => {
  const budget = { maxDead: 1, maxDeadPercent: 100, windowMs: 300_000 };

  /** A node that died without proof before anybody here watched, and whose Node is gone. */
  async function withPast(change: Parameters<typeof newRecord>[0] = {}): Promise<LeadershipStory> {
    const story = new LeadershipStory({ ...unproven, budget });
    await story.cluster.createRecord(
      endlessTerm(story.clock, 1),
      newRecord({
        id: 'past',
        deathId: 'past',
        node: { name: 'node-9', uid: 'n9', bootId: 'b' },
        result: 'recovered',
        proof: 'none',
        closedAt: '2029-01-01T00:00:00.000Z',
        ...change,
      }),
    );
    story.lead(2);
    await story.leading?.takeUp();
    return story;
  }

  it('counts deaths of before for a whole window from when it began to watch, and notes when that has passed', async () => {
    const story = await withPast();
    await story.pass(290);
    expect(takenOver(story)).toEqual(['node-9']);
    expect(budgetOf(story)).toMatchObject({
      reason: expect.stringContaining('2 of 5 nodes are dead without proof (node-9, node-1)'),
      until: 300_000,
    });
    await story.pass(20);
    expect(takenOver(story)).toEqual(['node-9', 'node-1']);
    expect(story.records.find(({ id }) => id === 'past')?.windowPassed).toBe(true);
  });

  it('notes it of one death though that of another can’t be written', async () => {
    const story = await withPast();
    const node = { name: 'node-8', uid: 'n8', bootId: 'b' };
    const other = { id: 'present', deathId: 'present', node, result: 'recovered', proof: 'none' } as const;
    await story.cluster.createRecord(
      endlessTerm(story.clock, 1),
      newRecord({ ...other, closedAt: '2029-01-01T00:00:00.000Z' }),
    );
    story.lead(3);
    await story.leading?.takeUp();
    story.cluster.refuses = ({ method, target }) =>
      method === 'updateRecord' && target === 'past' ? { message: 'a webhook says no' } : undefined;
    await story.pass(360);
    expect(story.records.find(({ id }) => id === 'past')?.windowPassed).toBeUndefined();
    expect(story.records.find(({ id }) => id === 'present')?.windowPassed).toBe(true);
  });

  it.each([
    { what: 'for which a leader noted that the window has passed', change: { windowPassed: true } },
    { what: 'that a device vouches for', change: { proof: 'powered-off' } },
    { what: 'that a human vouched for', change: { evidence: 'proven' } },
    { what: 'whose takeover was undone', change: { result: 'undone' } },
  ] as const)('does not count a death of before $what', async ({ change }) => {
    const story = await withPast(change);
    await story.pass(60);
    expect(takenOver(story)).toContain('node-1');
  });

  it('does not count a node that has returned meanwhile', async () => {
    const story = await withPast({ node: { name: 'node-3', uid: 'uid-node-3', bootId: '' } });
    await story.pass(60);
    expect(takenOver(story)).toContain('node-1');
  });
});

describe('a leader that may run one takeover at a time', () => {
  it('takes the others in the order in which it decided on them, and says that they wait', async () => {
    const budget = { maxDead: 12, maxDeadPercent: 100, maxRunning: 1 };
    // A device that thinks for most of the minute that it has.
    const { promise, resolve } = Promise.withResolvers<FenceResult>();
    const story = fleetOfTwelve({ budget }, (() => promise) as unknown as () => FenceResult).lead(1);
    await story.pass(26);
    for (const name of ['node-7', 'node-3', 'node-5']) {
      story.die(name);
      await story.pass(10);
    }
    await story.pass(20);
    expect(takenOver(story)).toEqual(['node-1']);
    expect(story.events('TakeoverHeld')).toHaveLength(3);
    expect(story.events('TakeoverHeld')[0]).toMatch(/^not taken over: queue: 1 takeovers? run/);
    story.fence = withoutProof;
    resolve(withoutProof());
    await story.pass(120);
    expect(takenOver(story)).toEqual(['node-1', 'node-7', 'node-3', 'node-5']);
  });

  it('keeps no place for one that waits for a proof, which may take a human’s time', async () => {
    const budget = { maxDead: 12, maxDeadPercent: 100, maxRunning: 1 };
    const story = fleetOfTwelve({ budget }, waiting).lead(1);
    await story.pass(60);
    story.die('node-7');
    await story.pass(60);
    expect(takenOver(story)).toEqual(['node-1', 'node-7']);
    expect(story.events('TakeoverHeld')).toEqual([]);
  });
});

describe('a takeover that a brake on its own node holds', () => {
  const one = { node: 'delete', budget: { maxDead: 12, maxDeadPercent: 100, maxRunning: 1 } } as const;

  function brake(story: LeadershipStory, isOn: boolean): void {
    const labels = isOn ? { 'liberator.dev/exclude': 'true' } : {};
    story.cluster.changeNode('node-1', (node) => ({ ...node, metadata: { ...node.metadata, labels } }));
    story.watch();
  }

  /** What is asked right before each step, so that the brake comes on in time to hold the whole of it. */
  const lastOf = {
    cordon: ({ method }) => method === 'createRecord',
    recheck: ({ method }, { fenced }) => method === 'updateRecord' && fenced.length === 1,
    release: ({ method }) => method === 'listPodsOn',
    remove: (_, { records: [record] }) => record?.steps.remove !== undefined,
  } satisfies Record<string, (call: Call, story: LeadershipStory) => boolean>;

  function heldIn(step: keyof typeof lastOf): LeadershipStory {
    const story = fleetOfTwelve(one);
    let isOn = false;
    story.cluster.fateOf = (call) => ({
      after: () => {
        if (isOn || !lastOf[step](call, story)) return;
        isOn = true;
        brake(story, true);
      },
    });
    return story.lead(1);
  }

  it.each(['cordon', 'recheck', 'release', 'remove'] as const)(
    'in %s leaves its place to another death, and takes it again when it works on',
    async (step) => {
      const story = heldIn(step);
      await story.pass(60);
      expect(story.records[0]?.steps[step]).toMatchObject({ detail: expect.stringMatching(/^held: /) });
      expect(story.loop.world.term?.work.get('node-1')).toBe('waits');
      story.die('node-7');
      await story.pass(60);
      expect(takenOver(story)).toEqual(['node-1', 'node-7']);

      const told: unknown[] = [];
      const { loop } = story;
      const tell = loop.tell.bind(loop);
      loop.tell = (fact) => {
        if (fact.kind === 'work' && fact.node === 'node-1') told.push(fact.state);
        tell(fact);
      };
      brake(story, false);
      await story.pass(60);
      expect(story.results[0]).toBe('death: recovered');
      expect(told).toEqual(['works', 'over']);
    },
  );

  it('leaves it under the next leader as well', async () => {
    const story = heldIn('release');
    await story.pass(60);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    story.die('node-7');
    await story.pass(60);
    expect(takenOver(story)).toEqual(['node-1', 'node-7']);
  });
});

describe('a Lease without a time', () => {
  it.each([{ renewTime: null }, { renewTime: '' }, { renewTime: undefined }])(
    'is no sign of life: $renewTime',
    async ({ renewTime }) => {
      const story = new LeadershipStory();
      story.lead(1);
      await story.pass(20);
      story.cluster.renew('node-1', renewTime as unknown as string);
      await story.pass(120);
      expect(story.results).toEqual(['death: recovered']);
    },
  );
});

describe('a death whose takeover is undone again and again', () => {
  /** The host of node-1 is heard for two seconds as soon as its takeover has begun. */
  async function flap(story: LeadershipStory, seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      const running = story.leading?.runningTakeovers.includes('node-1');
      if (running) story.silent.delete('node-1');
      else story.silent.add('node-1');
      await story.pass(1);
    }
  }

  it('gets its next one later each time, and says until when it waits', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await flap(story, 600);
    expect(story.records.length).toBeGreaterThan(3);
    expect(story.records.length).toBeLessThan(8);
    const verdict = story.decisions
      .at(-1)
      ?.decision.verdicts.find(({ guard }) => guard === 'undone')?.verdict;
    expect(story.events('TakeoverHeld').join()).toContain('undone: a takeover of this death was undone');
    expect(verdict).toBeDefined();
  });

  it('waits as long under the next leader', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await flap(story, 300);
    const before = story.records.length;
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(60);
    expect(story.records).toHaveLength(before);
    await story.pass(300);
    expect(story.records).toHaveLength(before + 1);
  });
});

describe('a node without a Lease that lived and died once more while nobody led', () => {
  it('is not taken over for its earlier death, but for this one', async () => {
    const story = new LeadershipStory();
    const turnedUnknownAt = (lastTransitionTime: string): void =>
      story.cluster.changeNode('node-1', (node) => ({
        ...node,
        status: {
          ...node.status,
          conditions: [{ type: 'Ready', status: 'Unknown', lastTransitionTime, lastHeartbeatTime: 'then' }],
        },
      }));
    story.cluster.leases.delete('node-1');
    story.cluster.putNode({
      metadata: { name: 'node-1', uid: 'n1-anew' },
      status: { nodeInfo: { bootID: 'boot-1' } },
    });
    story.loop.tell({ kind: 'lease-gone', name: 'node-1' });
    turnedUnknownAt('10:00');
    story.lead(1);
    story.fence = waiting;
    story.watch();
    await story.pass(120);
    expect(story.results).toEqual(['death: undefined']);
    await story.crash();
    turnedUnknownAt('11:00');
    story.watch();
    story.lead(2);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.leading?.takeUp();
    await story.pass(120);
    expect(story.results).toEqual(['death: undone', 'death: recovered']);
    expect(new Set(story.records.map(({ deathId }) => deathId)).size).toBe(2);
  });
});
