import { describe, expect, it } from 'vitest';
import type { ControllerOptions } from '../controller-options.ts';
import type { LeaderTerm } from '../term/leader-term.ts';
import { World } from '../testing/controller-world.ts';
import { endlessTerm } from '../testing/dead-node.ts';
import { Fleet } from '../testing/fleet.ts';
import { anyNode, nodeNamed } from '../testing/fleet-objects.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { describeStatus, newsIn, parseStatus, type StatusDocument } from './status-document.ts';
import { StatusPublisher, type StatusStore } from './status-publisher.ts';

/** Keeps every document that was published. */
class Shelf implements StatusStore {
  readonly documents: { at: number; document: StatusDocument }[] = [];
  answer: 'written' | 'conflict' | Error = 'written';
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  async publish(_: LeaderTerm, document: StatusDocument): Promise<'written' | 'conflict'> {
    this.documents.push({ at: this.#now(), document });
    if (this.answer instanceof Error) throw this.answer;
    return this.answer;
  }

  get last(): StatusDocument | undefined {
    return this.documents.at(-1)?.document;
  }
}

function leadingWorld(more: Partial<ControllerOptions> = {}) {
  const world = new World();
  const shelf = new Shelf(() => world.seconds);
  const replica = world.replica('a', { status: shelf, ...more }).run();
  const node = (name: string) => shelf.last?.nodes.find((one) => one.name === name);
  return { world, shelf, replica, node };
}

describe('the status that a leader publishes', () => {
  it('tells who leads, in which epoch, and that all is well', async () => {
    const { world, shelf } = leadingWorld();
    await world.pass(40);
    expect(shelf.last).toMatchObject({
      version: 1,
      leader: { identity: 'a', epoch: 0 },
      blind: [],
      counts: { dead: 0, suspect: 0, returning: 0, alive: 4, unselected: 0 },
      nodes: ['node-1', 'node-2', 'node-3', 'node-4'].map((name) => ({
        name,
        health: 'alive',
        policy: 'any',
      })),
    });
    expect(shelf.last?.nodes[0]).toEqual({ name: 'node-1', health: 'alive', policy: 'any' });
  });

  it('puts a node in trouble first, with evidence, reasons and since when', async () => {
    const { world, shelf } = leadingWorld();
    await world.pass(40);
    world.dead.add('node-3');
    await world.pass(18);
    const [first] = shelf.last?.nodes ?? [];
    expect(first).toMatchObject({ name: 'node-3', health: 'suspect', evidence: 'unreachable' });
    expect(first?.reasons?.join()).toMatch(/^Lease not renewed for \d+s,host silent to \d+ probes$/);
    expect(first?.silentSince).toMatch(/^2030-01-01T00:00:35\.\d{3}Z$/);
  });

  it('tells of a Node whose machine never booted that nothing is decided, and which death to confirm', async () => {
    const { world, node, shelf } = leadingWorld();
    await world.pass(40);
    world.dead.add('ghost');
    world.cluster.putNode({ metadata: { name: 'ghost', uid: 'uid-ghost' } });
    await world.pass(50);
    expect(node('ghost')).toEqual({ name: 'ghost', health: 'alive', policy: 'any' });
    await world.pass(50);
    expect(shelf.last?.blind).toEqual([]);
    expect(node('ghost')).toMatchObject({
      health: 'suspect',
      evidence: 'suspected',
      reasons: [expect.stringContaining('before its machine ever booted')],
      undecided: true,
      deathId: expect.any(String),
    });
  });

  it('tells of a machine that is known to be up, so that nobody is advised to confirm it dead', async () => {
    const { world, node } = leadingWorld();
    await world.pass(40);
    expect(node('node-3')).not.toHaveProperty('hostUp');
    world.cut.add('node-3');
    await world.pass(40);
    expect(node('node-3')).toMatchObject({ health: 'suspect', hostUp: true, decision: { action: 'hold' } });
    world.cut.clear();
    await world.pass(20);
    expect(node('node-3')).not.toHaveProperty('hostUp');
    world.dead.add('node-3');
    await world.pass(20);
    expect(node('node-3')).toMatchObject({ evidence: 'unreachable' });
    expect(node('node-3')).not.toHaveProperty('hostUp');
  });

  it('tells of a hold every verdict, and what a human who vouches has to name', async () => {
    const { world, node } = leadingWorld({ policies: [{ ...anyNode, evidence: 'proven' }] });
    await world.pass(40);
    world.dead.add('node-3');
    await world.pass(40);
    expect(node('node-3')).toMatchObject({
      health: 'dead',
      deathId: expect.stringMatching(/^[0-9a-f]{10}$/),
    });
    const { action, verdicts = [] } = node('node-3')?.decision ?? {};
    expect(action).toBe('hold');
    expect(verdicts.find(({ guard }) => guard === 'evidence')?.verdict).toEqual({
      outcome: 'hold',
      reason: 'the evidence is "unreachable", the policy asks for "proven"',
    });
    expect(verdicts.find(({ guard }) => guard === 'paused')?.verdict).toEqual({ outcome: 'pass' });
  });

  it('tells which node is being taken over, and says no more of decisions about it', async () => {
    const { world, node } = leadingWorld({
      fencers: [
        {
          name: 'ipmi',
          fence: async () => ({ outcome: 'waiting', detail: 'the BMC is slow', retryAfterMs: 1_000 }),
        },
      ],
    });
    await world.pass(40);
    world.dead.add('node-1');
    await world.pass(40);
    expect(node('node-1')).toMatchObject({ health: 'dead', takeover: true });
    expect(node('node-1')).not.toHaveProperty('decision');
  });

  it('tells what marks on a node that is well would hold', async () => {
    const { world, node } = leadingWorld();
    world.cluster.changeNode('node-2', (there) => ({
      ...there,
      metadata: {
        ...there.metadata,
        resourceVersion: 'marked',
        annotations: { 'liberator.dev/paused': 'disk swap' },
      },
    }));
    await world.pass(40);
    expect(node('node-2')).toEqual({
      name: 'node-2',
      health: 'alive',
      policy: 'any',
      holds: ['paused: the node is paused: disk swap'],
    });
  });

  it('tells a pause of everything once, not for each node', async () => {
    const { world, shelf } = leadingWorld();
    world.electionAnnotations = { 'liberator.dev/paused': 'switch maintenance' };
    await world.pass(40);
    expect(shelf.last?.paused).toBe('switch maintenance');
    expect(shelf.last?.nodes.some((one) => 'holds' in one)).toBe(false);
  });

  it('is written at news within seconds, and now and then without any', async () => {
    const { world, shelf } = leadingWorld();
    await world.pass(60);
    const quiet = shelf.documents.length;
    await world.pass(120);
    expect(shelf.documents.length - quiet).toBe(4);
    const before = world.seconds;
    world.electionAnnotations = { 'liberator.dev/paused': 'x' };
    await world.pass(4);
    expect(shelf.last?.paused).toBe('x');
    expect((shelf.documents.at(-1)?.at ?? 0) - before).toBeLessThanOrEqual(3);
  });

  it('is written every ten seconds for seconds that count up, and not more often', async () => {
    const { world, shelf } = leadingWorld({ policies: [{ ...anyNode, evidence: 'proven' }] });
    await world.pass(40);
    world.dead.add('node-3');
    await world.pass(60);
    const held = shelf.documents.length;
    await world.pass(120);
    expect(shelf.documents.length - held).toBeLessThanOrEqual(12);
  });

  it('that can not be written is an error, and is tried again, without holding anything up', async () => {
    const { world, shelf, replica } = leadingWorld();
    shelf.answer = new Error('forbidden');
    await world.pass(40);
    expect(replica.errors).toContainEqual({ where: 'status', error: shelf.answer });
    expect(shelf.documents.length).toBeLessThanOrEqual(5);
    world.dead.add('node-1');
    await world.pass(60);
    expect(world.cluster.records.size).toBe(1);
    shelf.answer = 'written';
    await world.pass(40);
    expect(shelf.last?.leader.identity).toBe('a');
  });

  it('is only the leader’s to write', async () => {
    const { world, shelf } = leadingWorld();
    await world.pass(5);
    const second = new Shelf(() => world.seconds);
    world.replica('b', { status: second }).run();
    await world.pass(60);
    expect(shelf.documents.length).toBeGreaterThan(0);
    expect(second.documents).toEqual([]);
  });
});

describe('a publisher', () => {
  it('publishes nothing once its term is over', () => {
    const clock = new ManualClock();
    const shelf = new Shelf(() => 0);
    const term = endlessTerm(clock, 1);
    const publisher = new StatusPublisher({ store: shelf, term, clock, onError: () => undefined });
    term.end('stopped');
    publisher.offer(() => document());
    expect(shelf.documents).toEqual([]);
  });

  it('tries again soon when somebody else wrote in between', async () => {
    const clock = new ManualClock();
    const shelf = new Shelf(() => clock.now());
    const term = endlessTerm(clock, 1);
    const publisher = new StatusPublisher({ store: shelf, term, clock, onError: () => undefined });
    shelf.answer = 'conflict';
    publisher.offer(() => document());
    await publisher.settled();
    await clock.advance(2_000);
    publisher.offer(() => document());
    await publisher.settled();
    expect(shelf.documents.map(({ at }) => at)).toEqual([0, 2_000]);
  });
});

function document(change: Partial<StatusDocument> = {}): StatusDocument {
  return {
    version: 1,
    writtenAt: '2030-01-01T00:00:00.000Z',
    leader: { identity: 'a', epoch: 3 },
    blind: [],
    counts: { dead: 0, suspect: 0, returning: 0, alive: 0, unselected: 0 },
    nodes: [],
    ...change,
  };
}

describe('a status document', () => {
  const describeFleet = (
    names: readonly string[],
    unselected: boolean,
    setAside: StatusDocument['setAside'] & object = [],
  ): StatusDocument => {
    const clock = new ManualClock();
    const fleet = new Fleet({
      clock,
      policies: unselected ? [] : [anyNode],
      onHealthChange: () => undefined,
    });
    for (const name of names) fleet.nodeSeen(nodeNamed(name));
    return describeStatus(
      {
        term: { identity: 'a', epoch: 3 },
        nodes: fleet.nodes.values(),
        decisions: new Map(),
        takeovers: [],
        blind: [],
        paused: undefined,
        setAside,
        holdsOn: () => [],
      },
      clock,
    );
  };

  it('names records that are set aside, as many as are of use, and that is news', () => {
    const none = describeFleet(['node-1'], false);
    expect(none).not.toHaveProperty('setAside');
    const setAside = Array.from({ length: 30 }, (_, i) => ({
      name: `liberator-takeover-${i}`,
      node: undefined,
      kind: 'damaged' as const,
      problem: 'its record is not JSON',
    }));
    const some = describeFleet(['node-1'], false, setAside);
    expect(some.setAside).toEqual(setAside.slice(0, 20));
    expect(newsIn(some)).not.toBe(newsIn(none));
  });

  it('lists nodes by name as people count, and those without a policy as such', () => {
    const { nodes, counts } = describeFleet(['node-10', 'node-9', 'node-1'], true);
    expect(nodes).toEqual(['node-1', 'node-9', 'node-10'].map((name) => ({ name, health: 'unselected' })));
    expect(counts).toEqual({ dead: 0, suspect: 0, returning: 0, alive: 0, unselected: 3 });
  });

  it('counts all nodes of a large cluster and lists some of them: it fits in an object', () => {
    const names = Array.from({ length: 5_000 }, (_, i) => `ip-10-0-${i}.eu-central-1.compute.internal`);
    const large = describeFleet(names, false);
    expect(large.counts.alive).toBe(5_000);
    expect(large.nodes).toHaveLength(200);
    expect(JSON.stringify(large).length).toBeLessThan(50_000);
  });

  it('is no news for another time and numbers that count up, and is for anything else', () => {
    const dead = {
      name: 'n1',
      health: 'dead',
      reasons: ['Lease not renewed for 25s'],
      silentSince: '2030-01-01T00:00:00.000Z',
    } as const;
    const before = newsIn(document({ nodes: [dead] }));
    const later = {
      ...dead,
      reasons: ['Lease not renewed for 26s'],
      silentSince: '2030-01-01T00:00:00.001Z',
    };
    expect(newsIn(document({ writtenAt: 'later', nodes: [later] }))).toBe(before);
    expect(newsIn(document({ nodes: [{ ...dead, name: 'n2' }] }))).not.toBe(before);
    expect(newsIn(document({ nodes: [{ ...dead, takeover: true }] }))).not.toBe(before);
    expect(newsIn(document({ nodes: [{ ...dead, holds: ['paused: x'] }] }))).not.toBe(before);
    expect(newsIn(document({ nodes: [dead], blind: ['x'] }))).not.toBe(before);
    const decided = (reason: string) =>
      newsIn(
        document({
          nodes: [
            {
              ...dead,
              decision: {
                action: 'hold',
                verdicts: [{ guard: 'paused', verdict: { outcome: 'hold', reason } }],
              },
            },
          ],
        }),
      );
    expect(decided('held for 3 s more')).toBe(decided('held for 2 s more'));
    expect(decided('held')).not.toBe(decided('paused'));
  });

  it.each([
    ['nothing', undefined],
    ['no JSON', '{'],
    ['null', 'null'],
    ['a newer version', JSON.stringify({ ...document(), version: 2 })],
    ['something else', JSON.stringify({ version: 1, nodes: [] })],
  ])('is not read out of %s', (_, text) => {
    expect(parseStatus(text)).toBeUndefined();
  });

  it('survives being written and read', () => {
    expect(parseStatus(JSON.stringify(document()))).toEqual(document());
  });
});
