// What a leader tells people when things go wrong: once, and never as a flood.
import { describe, expect, it } from 'vitest';
import { KubernetesError } from './kubernetes/errors.ts';
import { configMaps } from './kubernetes/resources.ts';
import { confirmedDeadAnnotation } from './marks/confirmed.ts';
import { LeadershipStory, waiting } from './testing/leadership-story.ts';

describe('a finished record that somebody deletes', () => {
  it.each([
    ['boot-2', 'NodeReturned', 'welcome'],
    ['boot-1', 'NodeQuarantined', 'quarantine'],
  ])(
    'before the node is back (%s) has its return told once, not at every look',
    async (bootId, reason, move) => {
      const story = new LeadershipStory({ node: 'keep' }).lead(1);
      await story.pass(60);
      story.cluster.records.clear();
      story.boot('node-1', bootId);
      await story.pass(240);
      // A boot that is new lets it in before it is trusted.
      expect(story.returns.filter((one) => one.move !== 'admit')).toMatchObject([{ move }]);
      expect(story.returns.length).toBeLessThanOrEqual(2);
      expect(story.events(reason)).toHaveLength(1);
      expect(story.cluster.calls.filter(({ method }) => method === 'updateRecord').length).toBeLessThan(30);
    },
  );

  it('after it was welcomed has nothing told at all', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2');
    await story.pass(120);
    const told = story.cluster.events.length;
    story.cluster.records.clear();
    await story.pass(240);
    expect(story.cluster.events).toHaveLength(told);
  });

  it('while its node is dead and kept does not open another takeover', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    const told = story.cluster.events.length;
    story.cluster.records.clear();
    await story.pass(240);
    expect(story.records).toEqual([]);
    expect(story.cluster.events).toHaveLength(told);
  });
});

const refused = new KubernetesError(
  { verb: 'create', resource: configMaps, namespace: 'liberator' },
  { status: 403, body: { reason: 'Forbidden', message: 'exceeded quota: few' } },
);

describe('a write that is refused', () => {
  it('is told after a few tries, in the words of whoever refuses, and is no takeover', async () => {
    const story = new LeadershipStory().lead(1);
    story.cluster.fateOf = ({ method }) =>
      method === 'createRecord'
        ? {
            before: () => {
              throw refused;
            },
          }
        : undefined;
    await story.pass(120);
    expect(story.events('ActionFailing')).toEqual([
      'claiming its takeover has failed 3 times in a row, and is tried again: could not create configmaps in namespace ' +
        'liberator: the API server answered 403 Forbidden: exceeded quota: few',
    ]);
    expect(story.leading?.claimedTakeovers).toEqual([]);
    expect(story.leading?.troubles.get('node-1')).toMatchObject({ act: 'claim', detail: refused.message });
    expect(story.troubles).toHaveLength(1);

    story.cluster.fateOf = () => undefined;
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.leading?.troubles.size).toBe(0);
    expect(story.troubles).toMatchObject([{ over: false }, { act: 'claim', over: true }]);
  });

  it.each(['setTaints', 'deleteNode', 'updateRecord'] as const)(
    'in the middle of a takeover is told as well: %s',
    async (method) => {
      const story = new LeadershipStory().lead(1);
      story.cluster.fateOf = (call) => (call.method === method ? { outcome: 'failed' } : undefined);
      await story.pass(60);
      expect(story.events('ActionFailing')).toHaveLength(1);
      expect(story.leading?.claimedTakeovers).toEqual(['node-1']);
      story.cluster.fateOf = () => undefined;
      await story.pass(60);
      expect(story.troubles.map(({ over }) => over)).toEqual([false, true]);
    },
  );

  it('as a node is taken in again is told', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.cluster.fateOf = (call) => (call.method === 'clearTaints' ? { outcome: 'failed' } : undefined);
    story.boot('node-1', 'boot-2');
    await story.pass(120);
    expect(story.events('ActionFailing')).toEqual([
      expect.stringMatching(/^taking it in again has failed 3 times/),
    ]);
  });

  it('that is no longer tried is no longer told of', async () => {
    const story = new LeadershipStory().lead(1);
    story.cluster.fateOf = (call) => (call.method === 'createRecord' ? { outcome: 'failed' } : undefined);
    await story.pass(60);
    expect(story.leading?.troubles.size).toBe(1);
    story.boot('node-1', 'boot-1');
    await story.pass(90);
    expect(story.leading?.troubles.size).toBe(0);
  });

  it('once or twice is nothing to be told of', async () => {
    const story = new LeadershipStory().lead(1);
    let failures = 2;
    story.cluster.fateOf = ({ method }) =>
      method === 'createRecord' && failures-- > 0 ? { outcome: 'failed' } : undefined;
    await story.pass(60);
    expect(story.events('ActionFailing')).toEqual([]);
    expect(story.troubles).toEqual([]);
  });
});

describe('a node that is silent while the leader does not see', () => {
  it('is told of, with the reason and the way out', async () => {
    const story = new LeadershipStory().lead(1);
    story.blind = ['2 of 3 node Leases fell silent together'];
    await story.pass(60);
    const deathId = story.nodes.get('node-1')?.deathId;
    expect(story.events('DeathUndecided')).toEqual([
      expect.stringMatching(
        `^Lease not renewed for \\d+s.*; nothing is decided about it, because the leader does not see: 2 of 3 node Leases ` +
          `fell silent together. .* liberator confirm node-1, or kubectl annotate --overwrite node node-1 liberator.dev/confirmed-dead=${deathId}$`,
      ),
    ]);
    expect(story.cluster.events).toHaveLength(1);
  });

  it('is told of again when there is another reason, but not for every second', async () => {
    const story = new LeadershipStory().lead(1);
    story.blind = ['2 of 3 node Leases fell silent together'];
    await story.pass(60);
    story.blind = ['3 of 3 node Leases fell silent together'];
    await story.pass(60);
    expect(story.events('DeathUndecided')).toHaveLength(1);
    story.blind = ['the watch of Nodes is stale'];
    await story.pass(60);
    expect(story.events('DeathUndecided')).toHaveLength(2);
  });

  it('for a moment only is nobody’s news', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(16);
    story.blind = ['our first Lease renewal has not come back through our own watch yet'];
    await story.pass(10);
    story.blind = [];
    await story.pass(60);
    expect(story.events('DeathUndecided')).toEqual([]);
  });

  it('and hangs is not offered a confirmation first thing: its machine is up', async () => {
    const story = new LeadershipStory().lead(1);
    story.silent.clear();
    story.blind = ['2 of 3 node Leases fell silent together'];
    await story.pass(60);
    expect(story.events('DeathUndecided')).toHaveLength(1);
    expect(story.events('DeathUndecided')[0]).toContain(
      'Its machine is up, so what ran on it may still write. Restart',
    );
  });

  it('after it was taken over is not told of: that death is dealt with', async () => {
    const story = new LeadershipStory({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.blind = ['2 of 3 node Leases fell silent together'];
    await story.pass(60);
    expect(story.events('DeathUndecided')).toEqual([]);
  });
});

describe('a confirmation', () => {
  const confirm = (story: LeadershipStory, deathId: string): void =>
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, annotations: { 'liberator.dev/confirmed-dead': deathId } },
    }));

  it('of another death is told within a second, once, with what helps', async () => {
    const story = new LeadershipStory({ evidence: 'proven' }).lead(1);
    await story.pass(60);
    confirm(story, 'mistyped');
    await story.pass(1);
    const { deathId } = story.decisions[0] ?? {};
    expect(story.ignored).toMatchObject([{ names: 'mistyped', because: 'other-death', expected: deathId }]);
    expect(story.events('ConfirmationIgnored')).toEqual([
      'liberator.dev/confirmed-dead on it names mistyped, which is not its death of now: nothing follows from that. Once ' +
        'you have made sure that it is off: liberator confirm node-1, or kubectl annotate --overwrite node node-1 ' +
        `liberator.dev/confirmed-dead=${deathId}`,
    ]);
    await story.pass(60);
    expect(story.events('ConfirmationIgnored')).toHaveLength(1);
    confirm(story, 'mistyped-again');
    await story.pass(5);
    expect(story.events('ConfirmationIgnored')).toHaveLength(2);
    confirm(story, String(deathId));
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.events('ConfirmationIgnored')).toHaveLength(2);
  });

  it('is taken off when the node has returned, so that the next death needs a word of its own', async () => {
    const story = new LeadershipStory({ evidence: 'proven', node: 'keep' }).lead(1);
    await story.pass(60);
    confirm(story, String(story.decisions[0]?.deathId));
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    story.boot('node-1', 'boot-2');
    await story.pass(120);
    expect(story.returns).toMatchObject([{ move: 'admit' }, { move: 'welcome' }]);
    expect(story.cluster.nodes.get('node-1')?.metadata.annotations ?? {}).toEqual({});
    expect(story.events('ConfirmationIgnored')).toEqual([]);
  });

  it('of another death is told while a takeover waits for the right one', async () => {
    const story = new LeadershipStory().lead(1);
    story.fence = waiting;
    await story.pass(60);
    confirm(story, 'old');
    await story.pass(1);
    expect(story.ignored).toMatchObject([{ names: 'old', expected: story.records[0]?.deathId }]);
  });

  it('of a node that is alive is told', async () => {
    const story = new LeadershipStory().lead(1);
    story.boot('node-1', 'boot-1');
    await story.pass(20);
    confirm(story, 'anything');
    await story.pass(1);
    expect(story.ignored).toMatchObject([{ names: 'anything', because: 'alive' }]);
    expect(story.events('ConfirmationIgnored')[0]).toContain(
      'kubectl annotate node node-1 liberator.dev/confirmed-dead-',
    );
  });
});

describe('a Node that somebody deleted and made anew, without a machine', () => {
  const madeAnew = (story: LeadershipStory): void => {
    story.cluster.putNode({ metadata: { name: 'node-1', uid: 'n1-anew' } });
    story.cluster.leases.delete('node-1');
  };
  const under = async (fence = waiting): Promise<LeadershipStory> => {
    const story = new LeadershipStory().lead(1);
    story.fence = fence;
    await story.pass(40);
    madeAnew(story);
    return story;
  };

  it('under a takeover that waits is told of once, with the way out, and is not taken over', async () => {
    const story = await under();
    await story.pass(900);
    expect(story.results).toEqual(['death: overtaken']);
    const deathId = story.nodes.get('node-1')?.deathId;
    expect(story.events('DeathUndecided')).toEqual([
      expect.stringMatching(
        `^its Node was created before its machine ever booted: nothing tells whether a machine of that name is off; ` +
          `.*liberator.dev/confirmed-dead=${deathId}$`,
      ),
    ]);
    expect(story.cluster.events.filter(({ node }) => node.uid === 'n1-anew')).toHaveLength(1);
    expect(story.cluster.destroyed).toEqual([]);
  });

  it('before any takeover is told of as well', async () => {
    const story = new LeadershipStory().lead(1);
    await story.pass(10);
    madeAnew(story);
    await story.pass(300);
    expect(story.results).toEqual([]);
    expect(story.events('DeathUndecided')).toHaveLength(1);
  });

  it('counts neither as a death for the budget nor as one that fell silent', async () => {
    const story = await under();
    await story.pass(300);
    const { unheard, heard, deaths } = story.loop.world.ledger;
    expect(unheard.size).toBe(0);
    expect(heard).toBe(3);
    const deathId = story.nodes.get('node-1')?.deathId;
    expect(JSON.stringify(deaths)).not.toContain(deathId);
    expect(story.leading?.decisions.get('node-1')).toBeUndefined();
  });

  it('is taken over, with the pods of before, when a human vouches for it', async () => {
    const story = await under();
    await story.pass(300);
    const deathId = story.nodes.get('node-1')?.deathId ?? '';
    story.fence = () => ({ outcome: 'fenced', proof: 'confirmed-by-human', detail: 'by a human' });
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, annotations: { [confirmedDeadAnnotation]: deathId } },
    }));
    await story.pass(120);
    expect(story.records.at(-1)).toMatchObject({ deathId, evidence: 'proven' });
    expect(story.cluster.destroyed).toEqual(expect.arrayContaining(['db', 'web']));
  });

  it('is well, and nothing is told of it, once its machine boots', async () => {
    const story = await under();
    await story.pass(20);
    story.boot('node-1', 'boot-2');
    await story.pass(300);
    expect(story.nodes.get('node-1')?.health).toBe('alive');
    expect(story.events('DeathUndecided')).toEqual([]);
  });
});
