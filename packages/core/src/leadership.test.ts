// What a leader does in its term, and what the next one does with what it left behind.
import { describe, expect, it } from 'vitest';
import type { DecisionChange } from './controller-events.ts';
import type { RenewableTerm } from './election/leader-term.ts';
import type { FenceResult } from './fencing/fencer.ts';
import { Fleet } from './fleet/fleet.ts';
import { Leadership } from './leadership.ts';
import { builtInGuards } from './policy/decision.ts';
import type { Policy } from './policy/policy.ts';
import type { TakeoverProgress } from './takeover/executor.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import { defaultReturnRules } from './takeover/return.ts';
import type { ReturnProgress } from './takeover/returner.ts';
import { clusterWithDeadNode, endlessTerm, newRecord } from './testing/dead-node.ts';
import { anyNode } from './testing/fleet-objects.ts';
import { ManualClock } from './testing/manual-clock.ts';
import type { MemoryCluster } from './testing/memory-cluster.ts';

/** A cluster of four, of which node-1 stops renewing its Lease at 0; one replica watches it, and leads when told to. */
class Story {
  readonly clock = new ManualClock({ turns: 1 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly fleet: Fleet;
  readonly decisions: DecisionChange[] = [];
  readonly progress: TakeoverProgress[] = [];
  readonly returns: ReturnProgress[] = [];
  readonly errors: { where: string; error: unknown }[] = [];
  readonly fenced: string[] = [];
  /** Hosts that are silent to probes, and nodes that no longer renew. */
  readonly silent = new Set(['node-1']);
  readonly asleep = new Set(['node-1']);
  fence: () => FenceResult = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
  blind: readonly string[] = [];
  /** Whether watches bring anything. */
  watching = true;
  term: RenewableTerm | undefined;
  leading: Leadership | undefined;

  constructor(policy: Partial<Policy> = {}) {
    this.fleet = new Fleet({
      clock: this.clock,
      policies: [{ ...anyNode, ...policy }],
      onHealthChange: () => {},
    });
    for (const name of ['node-3', 'node-4']) this.cluster.putNode({ metadata: { name, uid: `uid-${name}` } });
    for (const node of this.cluster.nodes.keys()) {
      this.ready(node);
      if (node !== 'node-1') this.cluster.renew(node, '0');
    }
    this.watch();
    for (const { node } of this.fleet.nodes.values())
      this.fleet.probed(node.metadata.name, node.metadata.uid, 'answered');
    this.fleet.sightRegained();
  }

  ready(name: string, status: 'True' | 'Unknown' = 'True'): void {
    this.cluster.changeNode(name, (node) => ({
      ...node,
      status: { ...node.status, conditions: [{ type: 'Ready', status }] },
    }));
  }

  /** The machine boots and its kubelet reports, under the uid that it has or a new one. */
  boot(name: string, bootId: string, uid?: string): void {
    if (uid !== undefined) this.cluster.putNode({ metadata: { name, uid } });
    this.cluster.changeNode(name, (node) => ({
      ...node,
      status: { ...node.status, nodeInfo: { bootID: bootId } },
    }));
    this.ready(name);
    this.silent.delete(name);
    this.asleep.delete(name);
    this.cluster.renew(name, `booted at ${this.clock.now()}`);
  }

  die(name: string): void {
    this.silent.add(name);
    this.asleep.add(name);
  }

  lead(epoch: number): this {
    const term = endlessTerm(this.clock, epoch);
    this.term = term;
    this.leading = new Leadership({
      term,
      clock: this.clock,
      fleet: this.fleet,
      cluster: this.cluster,
      fencers: [
        {
          name: 'ipmi',
          fence: async ({ deathId }) => {
            this.fenced.push(deathId);
            return this.fence();
          },
        },
      ],
      guards: builtInGuards,
      fleetFacts: (dead) => ({ nodes: this.fleet.nodes.size, dead, blind: this.blind, paused: undefined }),
      onDecision: (change) => this.decisions.push(change),
      onProgress: (progress) => this.progress.push(progress),
      returnRules: defaultReturnRules,
      onReturn: (progress) => this.returns.push(progress),
      onError: (where, error) => this.errors.push({ where, error }),
    });
    return this;
  }

  /** The leader dies: nothing of its term goes on. */
  async crash(): Promise<this> {
    this.term?.end('it crashed');
    await this.clock.advance(2_000);
    this.leading = undefined;
    return this;
  }

  /** Half a second at a time, as the controller does it. */
  async pass(seconds: number): Promise<this> {
    for (let i = 0; i < seconds * 2; i++) {
      if (this.clock.now() % 10_000 === 0) {
        for (const name of this.cluster.nodes.keys()) {
          if (!this.asleep.has(name)) this.cluster.renew(name, String(this.clock.now()));
        }
      }
      this.watch();
      this.fleet.assess();
      if (this.blind.length === 0) this.leading?.evaluate();
      this.leading?.attendReturns();
      await this.clock.advance(500);
      if (this.clock.now() % 2_000 === 0) this.probe();
    }
    return this;
  }

  watch(): void {
    if (!this.watching) return;
    for (const name of this.fleet.nodes.keys()) if (!this.cluster.nodes.has(name)) this.fleet.nodeGone(name);
    for (const node of this.cluster.nodes.values()) this.fleet.nodeSeen(node);
    for (const lease of this.cluster.leases.values()) this.fleet.leaseSeen(lease);
  }

  probe(): void {
    for (const { node, assessment } of this.fleet.nodes.values()) {
      const { name, uid } = node.metadata;
      if (assessment !== undefined && assessment.health !== 'alive')
        this.fleet.probed(name, uid, this.silent.has(name) ? 'silent' : 'answered');
    }
  }

  get records(): readonly TakeoverRecord[] {
    return [...this.cluster.records.values()].map(({ record }) => record);
  }

  get results(): readonly (string | undefined)[] {
    return this.records.map(({ id, result }) => `${id.replace(/^[0-9a-f]{10}/, 'death')}: ${result}`);
  }

  taints(name = 'node-1'): readonly string[] {
    return this.cluster.taintsOf(name).map(({ key }) => key);
  }

  events(reason: string): readonly string[] {
    return this.cluster.events.filter((event) => event.reason === reason).map(({ message }) => message);
  }
}

const waiting = (): FenceResult => ({ outcome: 'waiting', detail: 'not yet', retryAfterMs: 2_000 });

describe('a leader', () => {
  it('takes over a node that died, and tells so', async () => {
    const story = new Story().lead(1);
    await story.pass(24.5);
    expect(story.records).toEqual([]);
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
    expect(story.decisions).toMatchObject([{ node: 'node-1', decision: { action: 'act' } }]);
    expect(story.events('TakeoverStarted')).toHaveLength(1);
    expect(story.leading?.runningTakeovers).toEqual([]);
    expect(story.errors).toEqual([]);
  });

  it('records on what evidence, by whose policy and past which guards it acted', async () => {
    const story = new Story().lead(7);
    await story.pass(60);
    expect(story.records[0]).toMatchObject({
      epoch: 7,
      node: { name: 'node-1', uid: 'n1', bootId: 'boot-1' },
      lastHeartbeat: 'r1',
      evidence: 'unreachable',
      policy: { name: 'any', node: 'delete', proof: 'required', drivers: ['ipmi'] },
    });
    expect(story.records[0]?.verdicts.map(({ guard }) => guard)).toEqual(
      builtInGuards.map(({ name }) => name),
    );
  });

  it('does not act a second time on a death that it is done with, however long the node stays dead', async () => {
    const story = new Story({ node: 'keep' }).lead(1);
    await story.pass(3_600);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.fenced).toHaveLength(1);
    expect(story.taints()).toContain('node.kubernetes.io/out-of-service');
  });

  it('does nothing about a node without a policy, or one that is merely not Ready', async () => {
    const story = new Story({ nodes: { matchLabels: { rack: 'elsewhere' } } }).lead(1);
    await story.pass(120);
    expect([story.records, story.decisions]).toEqual([[], []]);
    const renewing = new Story().lead(1);
    renewing.asleep.clear();
    renewing.ready('node-1', 'Unknown');
    await renewing.pass(120);
    expect(renewing.records).toEqual([]);
  });

  it('runs one takeover for a node at a time', async () => {
    const story = new Story().lead(1);
    story.cluster.replacementNode = undefined;
    await story.pass(60);
    expect(story.cluster.nodes.has('node-1')).toBe(false);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(20);
    story.die('node-1');
    await story.pass(120);
    expect(story.results).toEqual(['death: undefined']);
    expect(story.leading?.runningTakeovers).toEqual(['node-1']);
    await story.pass(600);
    expect(story.records.map(({ node, result }) => [node.uid, result])).toEqual([
      ['n1', 'incomplete'],
      ['n1-anew', 'recovered'],
    ]);
  });

  it('counts those under way against the budget', async () => {
    const story = new Story({ budget: { maxDead: 1, maxDeadPercent: 100 } }).lead(1);
    story.fence = waiting;
    await story.pass(30);
    story.die('node-3');
    await story.pass(60);
    expect(story.records.map(({ node }) => node.name)).toEqual(['node-1']);
    expect(story.decisions.at(-1)?.decision.verdicts.find(({ guard }) => guard === 'budget')).toMatchObject({
      verdict: { outcome: 'hold', reason: '2 of 4 nodes are dead, at most 1 may be taken over at once' },
    });
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    expect(story.records.map(({ node, result }) => [node.name, result])).toEqual([
      ['node-1', 'recovered'],
      ['node-3', 'recovered'],
    ]);
  });

  it('does not count a node that it has dealt with and that is kept', async () => {
    const story = new Story({ node: 'keep', budget: { maxDead: 1, maxDeadPercent: 100 } }).lead(1);
    await story.pass(120);
    story.die('node-3');
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered', 'death: recovered']);
  });
});

describe('a decision to hold', () => {
  it('is told once, with every reason and with what a human can do, and again when it changes', async () => {
    const story = new Story({ evidence: 'proven' }).lead(1);
    await story.pass(120);
    expect(story.decisions).toHaveLength(1);
    expect(story.events('TakeoverHeld')).toHaveLength(1);
    const { deathId } = story.decisions[0] ?? {};
    expect(story.events('TakeoverHeld')[0]).toContain('the policy asks for "proven"');
    expect(story.events('TakeoverHeld')[0]).toContain(
      `kubectl annotate node node-1 liberator.dev/confirmed-dead=${deathId}`,
    );
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: { ...node.metadata, labels: { 'liberator.dev/exclude': 'true' } },
    }));
    await story.pass(10);
    expect(story.decisions).toHaveLength(2);
    expect(story.events('TakeoverHeld')[1]).toContain('excluded: it is marked liberator.dev/exclude');
  });

  it('ends when the human confirms this very death', async () => {
    const story = new Story({ evidence: 'proven' }).lead(1);
    await story.pass(60);
    story.cluster.changeNode('node-1', (node) => ({
      ...node,
      metadata: {
        ...node.metadata,
        annotations: { 'liberator.dev/confirmed-dead': String(story.decisions[0]?.deathId) },
      },
    }));
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.records[0]?.evidence).toBe('proven');
  });

  it('is told about a node that hangs: its host is up, and it is not dead', async () => {
    const story = new Story().lead(1);
    story.silent.clear();
    await story.pass(120);
    expect(story.records).toEqual([]);
    expect(story.decisions).toHaveLength(1);
    expect(story.events('TakeoverHeld')[0]).toContain('a dead kubelet is not a dead node');
  });

  it('is forgotten when the node lives, and told anew at its next death', async () => {
    const story = new Story({ evidence: 'proven' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2');
    await story.pass(60);
    story.die('node-1');
    await story.pass(60);
    expect(story.decisions).toHaveLength(2);
    expect(story.decisions[0]?.deathId).not.toBe(story.decisions[1]?.deathId);
  });
});

describe('a takeover that is undone', () => {
  it('lets the same death be taken over anew, under an id of its own', async () => {
    const story = new Story().lead(1);
    story.fence = waiting;
    await story.pass(30);
    // Its host is heard again, though its kubelet isn't.
    story.silent.clear();
    await story.pass(10);
    expect(story.results).toEqual(['death: undone']);
    expect(story.taints()).toEqual(['team']);
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    story.silent.add('node-1');
    await story.pass(30);
    expect(story.results).toEqual(['death: undone', 'death-2: recovered']);
    expect(new Set(story.records.map(({ deathId }) => deathId)).size).toBe(1);
  });

  it('is not opened anew while the node lives', async () => {
    const story = new Story().lead(1);
    story.fence = waiting;
    await story.pass(30);
    story.boot('node-1', 'boot-1');
    await story.pass(300);
    expect(story.results).toEqual(['death: undone']);
    expect(story.taints()).toEqual(['team']);
  });
});

describe('a new leader', () => {
  it('goes on with what the last one began, in its own epoch, without beginning anew', async () => {
    const story = new Story().lead(1);
    story.fence = waiting;
    await story.pass(30);
    await story.crash();
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.records[0]).toMatchObject({
      epoch: 2,
      steps: { cordon: { epoch: 1 }, fence: { epoch: 2 } },
    });
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });

  it('leaves alone what the last one finished, while the node is as dead as before', async () => {
    const story = new Story({ node: 'keep' }).lead(1);
    await story.pass(60);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(300);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.fenced).toHaveLength(1);
    expect(story.records[0]?.epoch).toBe(1);
  });

  it('undoes nothing because its own caches are still empty', async () => {
    const story = new Story().lead(1);
    story.fence = waiting;
    await story.pass(30);
    await story.crash();
    // A fresh process: Nodes are listed, their Leases aren't yet.
    for (const name of [...story.fleet.nodes.keys()]) {
      story.fleet.nodeGone(name);
      story.fleet.leaseGone(name);
    }
    for (const node of story.cluster.nodes.values()) story.fleet.nodeSeen(node);
    story.watching = false;
    story.blind = ['not all caches are synced'];
    story.lead(2);
    await story.leading?.takeUp();
    await story.pass(10);
    expect(story.results).toEqual(['death: undefined']);
    expect(story.records[0]?.steps.fence?.detail).toContain('held: ');
    story.watching = true;
    story.blind = [];
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    // The other hosts answered the new process too.
    for (const { node } of story.fleet.nodes.values())
      story.fleet.probed(node.metadata.name, node.metadata.uid, 'answered');
    await story.pass(90);
    expect(story.results).toEqual(['death: recovered']);
  });

  it('keeps asking for the records until it gets them', async () => {
    const story = new Story();
    await story.cluster.createRecord(endlessTerm(story.clock, 1), newRecord());
    story.lead(2);
    story.cluster.fateOf = ({ method }) => (method === 'listRecords' ? { outcome: 'failed' } : undefined);
    const takenUp = story.leading?.takeUp();
    await story.clock.advance(5_000);
    expect(story.errors.length).toBeGreaterThanOrEqual(5);
    expect(story.errors[0]).toMatchObject({ where: 'takeover records' });
    story.cluster.fateOf = () => undefined;
    await story.clock.advance(2_000);
    await takenUp;
    expect(story.leading?.runningTakeovers).toEqual(['node-1']);
  });

  it('stops asking when its term ends', async () => {
    const story = new Story().lead(2);
    story.cluster.fateOf = () => ({ outcome: 'failed' });
    const takenUp = story.leading?.takeUp();
    await story.clock.advance(3_000);
    story.term?.end('b holds the Lease now');
    await story.clock.advance(0);
    await takenUp;
    expect(story.clock.pendingTimers).toBe(0);
  });

  it('works on two unfinished records of one node one after the other', async () => {
    const story = new Story();
    const term = endlessTerm(story.clock, 1);
    await story.cluster.createRecord(term, newRecord({ id: 'first', lastHeartbeat: 'long ago' }));
    const deathId = story.fleet.nodes.get('node-1')?.deathId ?? '';
    await story.cluster.createRecord(
      term,
      newRecord({ id: deathId, deathId, openedAt: '2030-01-01T00:01:00.000Z' }),
    );
    story.lead(2);
    await story.leading?.takeUp();
    const begun: string[] = [];
    await story.pass(60);
    for (const { record, phase } of story.progress)
      if (phase === 'started' && begun.at(-1) !== record.id) begun.push(record.id);
    expect(begun).toEqual(['first', deathId]);
    expect(story.results).toEqual(['first: undone', 'death: recovered']);
    expect(story.leading?.runningTakeovers).toEqual([]);
  });
});

describe('old records', () => {
  async function withRecords(count: number): Promise<Story> {
    const story = new Story();
    const term = endlessTerm(story.clock, 1);
    for (let i = 0; i < count; i++) {
      const closedAt = new Date(Date.UTC(2029, 0, 1 + ((i * 7) % count))).toISOString();
      await story.cluster.createRecord(
        term,
        newRecord({
          id: `old-${i}`,
          result: 'recovered',
          closedAt,
          openedAt: closedAt,
          node: { name: `gone-${i}`, uid: `g${i}`, bootId: '' },
        }),
      );
    }
    return story;
  }

  it('beyond fifty are removed, the oldest first, and those under way never', async () => {
    const story = await withRecords(60);
    await story.cluster.createRecord(
      endlessTerm(story.clock, 1),
      newRecord({ openedAt: '2020-01-01T00:00:00.000Z' }),
    );
    story.lead(2);
    await story.leading?.takeUp();
    expect(story.records).toHaveLength(51);
    expect(story.records.some(({ id }) => id === 'death')).toBe(true);
    const kept = story.records
      .filter(({ result }) => result !== undefined)
      .map(({ closedAt }) => closedAt ?? '');
    expect(kept.toSorted()[0]).toBe(new Date(Date.UTC(2029, 0, 11)).toISOString());
  });

  it('up to fifty are kept', async () => {
    const story = await withRecords(50);
    story.lead(2);
    await story.leading?.takeUp();
    expect(story.records).toHaveLength(50);
  });

  it('that can’t be removed stop nothing, and start nothing twice', async () => {
    const story = await withRecords(53);
    await story.cluster.createRecord(endlessTerm(story.clock, 1), newRecord());
    story.cluster.fateOf = ({ method }) => (method === 'deleteRecord' ? { outcome: 'failed' } : undefined);
    story.lead(2);
    let takenUp = false;
    story.leading?.takeUp().then(() => {
      takenUp = true;
    });
    await story.pass(60);
    expect(takenUp).toBe(true);
    expect(story.errors).toMatchObject([{ where: 'takeover records' }]);
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

describe('trouble', () => {
  it('with opening a record is told and tried again', async () => {
    const story = new Story().lead(1);
    let failures = 3;
    story.cluster.fateOf = ({ method }) =>
      method === 'createRecord' && failures-- > 0
        ? { outcome: failures % 2 === 0 ? 'failed' : 'answer-lost' }
        : undefined;
    await story.pass(60);
    expect(story.errors.map(({ where }) => where)).toContain('takeover of node-1');
    expect(story.results).toEqual(['death: recovered']);
    expect(story.fenced).toHaveLength(1);
  });

  it('with Events delays nothing', async () => {
    const story = new Story().lead(1);
    story.cluster.fateOf = ({ method }) => (method === 'publishEvent' ? { outcome: 'failed' } : undefined);
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    expect(new Set(story.errors.map(({ where }) => where))).toEqual(new Set(['events']));
  });

  it('with sight holds what can still be held, until evidence has been gathered anew', async () => {
    const story = new Story().lead(1);
    story.fence = waiting;
    await story.pass(30);
    story.blind = ['the watch of Nodes is stale'];
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    expect(story.records[0]?.steps.fence?.outcome).toBeUndefined();
    story.blind = [];
    story.fleet.sightRegained();
    await story.pass(20);
    expect(story.records[0]?.steps.fence?.detail).toBe(
      'held: waiting for evidence that the node is still dead',
    );
    await story.pass(30);
    expect(story.results).toEqual(['death: recovered']);
  });

  it('with a record that somebody deleted begins the takeover anew', async () => {
    const story = new Story().lead(1);
    story.fence = () => ({ ...waiting(), detail: `asked ${story.fenced.length} times` }) as FenceResult;
    await story.pass(30);
    story.cluster.records.clear();
    story.fence = () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'off' });
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.cluster.destroyed).toEqual(['db', 'web', 'n1']);
  });
});

describe('the end of a term', () => {
  it('ends all that was under way, without a word of error', async () => {
    const story = new Story().lead(1);
    story.fence = waiting;
    await story.pass(30);
    const { leading } = story;
    let settled = false;
    leading?.settled().then(() => {
      settled = true;
    });
    await story.pass(10);
    expect(settled).toBe(false);
    await story.crash();
    expect(settled).toBe(true);
    expect(leading?.runningTakeovers).toEqual([]);
    expect(story.errors).toEqual([]);
    expect(story.clock.pendingTimers).toBe(0);
  });

  it('lets nothing be decided any more', async () => {
    const story = new Story().lead(1);
    await story.pass(24.5);
    story.term?.end('asked to stop');
    await story.pass(10);
    expect([story.decisions, story.records, story.cluster.events]).toEqual([[], [], []]);
  });
});

describe('a node that comes back after its takeover', () => {
  it('is trusted again once it has booted and has been well for a minute from then on', async () => {
    const story = new Story({ node: 'keep' }).lead(1);
    await story.pass(60);
    // Its Ready condition never changed: the takeover was quicker than Kubernetes.
    story.boot('node-1', 'boot-2');
    await story.pass(50);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('returning');
    expect(story.taints()).toContain('node.kubernetes.io/out-of-service');
    await story.pass(20);
    expect(story.returns).toMatchObject([{ move: 'welcome' }]);
    expect(story.taints()).toEqual(['team']);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('alive');
    expect(story.events('NodeReturned')).toHaveLength(1);
  });

  it('is not put into quarantine before it is back', async () => {
    const story = new Story({ node: 'keep' }).lead(1);
    await story.pass(600);
    expect(story.results).toEqual(['death: recovered']);
    expect(story.returns).toEqual([]);
    expect(story.events('NodeQuarantined')).toEqual([]);
  });

  it('without having booted is put into quarantine', async () => {
    const story = new Story({ node: 'keep' }).lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-1');
    await story.pass(120);
    expect(story.returns).toMatchObject([{ move: 'quarantine' }]);
    expect(story.taints()).toContain('liberator.dev/quarantine');
  });

  it('under a new uid gets back what people had put on it', async () => {
    const story = new Story().lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(90);
    expect(story.returns.map(({ move }) => move)).toEqual(['restore', 'welcome']);
    expect(story.cluster.nodes.get('node-1')?.metadata.labels).toEqual({ rack: '7' });
    expect(story.taints()).toEqual(['team']);
  });

  it('is attended to by the next leader as well, and under any brake', async () => {
    const story = new Story({ node: 'keep' }).lead(1);
    await story.pass(60);
    await story.crash();
    story.lead(2);
    await story.leading?.takeUp();
    story.blind = ['everything'];
    story.boot('node-1', 'boot-2');
    await story.pass(120);
    expect(story.returns).toMatchObject([{ move: 'welcome' }]);
  });

  it('and dies again is taken over again', async () => {
    const story = new Story().lead(1);
    await story.pass(60);
    story.boot('node-1', 'boot-2', 'n1-anew');
    await story.pass(120);
    story.die('node-1');
    await story.pass(60);
    expect(story.results).toEqual(['death: recovered', 'death: recovered']);
    expect(story.cluster.destroyed).toContain('n1-anew');
  });
});
