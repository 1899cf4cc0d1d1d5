// The loop wakes its world when that asks for it, and does not take its own standstill for the silence of others.
import { describe, expect, it } from 'vitest';
import { defaultSightRules } from './evidence/sight.ts';
import type { Node } from './kubernetes/objects.ts';
import { builtInGuards } from './policy/decision.ts';
import { anyNode, nodeNamed } from './testing/fleet-objects.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { WorldLoop } from './world-loop.ts';
import type { Fact, Intent } from './world-state.ts';

const nodes = ['node-1', 'node-2', 'node-3'];

/** Real time as a process knows it that can be stopped: its timers come late then. */
class StoppableClock extends ManualClock {
  /** All that fell due meanwhile fires afterwards, late. */
  async standStill(ms: number): Promise<void> {
    this.skip(ms);
    await this.advance(0);
  }
}

interface Told {
  readonly loop: WorldLoop;
  readonly clock: StoppableClock;
  readonly intents: Intent[];
  readonly facts: Fact[];
  readonly failures: unknown[];
}

function watching(): Told {
  const clock = new StoppableClock({ turns: 1 });
  const intents: Intent[] = [];
  const facts: Fact[] = [];
  const failures: unknown[] = [];
  const loop = new WorldLoop({
    rules: { policies: [anyNode], guards: builtInGuards, sight: defaultSightRules },
    clock,
    perform: (intent) => intents.push(intent),
    onRefused: () => {},
    onFailure: (error) => failures.push(error),
    onFact: (fact) => facts.push(fact),
  });
  loop.start();
  loop.tell({ kind: 'watches', synced: true, stale: [] });
  for (const name of nodes) {
    loop.tell({ kind: 'node', node: nodeNamed(name) });
    loop.tell({ kind: 'lease', name, renewTime: 'listed', listed: true });
  }
  return { loop, clock, intents, facts, failures };
}

const renewAll = ({ loop, clock }: Told): void => {
  for (const name of nodes) loop.tell({ kind: 'lease', name, renewTime: String(clock.now()) });
};

const health = ({ intents }: Told): readonly string[] =>
  intents.flatMap((intent) =>
    intent.kind === 'health' ? [`${intent.change.node} is ${intent.change.to}`] : [],
  );

describe('a world loop', () => {
  it('wakes its world by itself when a silence has lasted long enough', async () => {
    const told = watching();
    renewAll(told);
    for (let i = 0; i < 3; i++) {
      await told.clock.advance(5_000);
      for (const name of ['node-2', 'node-3'])
        told.loop.tell({ kind: 'lease', name, renewTime: String(told.clock.now()) });
    }
    await told.clock.advance(100);
    expect(health(told)).toEqual(['node-1 is suspect']);
    told.loop.stop();
    expect(told.clock.pendingTimers).toBe(0);
  });

  it('sleeps while nothing is due: a fleet that is well costs one look a node and heartbeat', async () => {
    const told = watching();
    await told.clock.advance(1_000);
    told.facts.length = 0;
    for (let i = 0; i < 60; i++) {
      renewAll(told);
      await told.clock.advance(10_000);
    }
    const wakes = told.facts.filter(({ kind }) => kind === 'wake').length;
    // Each node is looked at once in 12.5 s at most, and these three at the same time.
    expect(wakes).toBeLessThanOrEqual(60);
    expect(health(told)).toEqual([]);
    told.loop.stop();
  });

  it('reads what was said while it stood still before it judges anybody’s silence', async () => {
    const told = watching();
    renewAll(told);
    await told.clock.advance(5_000);
    await told.clock.standStill(40_000);
    // What the watches brought meanwhile comes in a few turns later.
    renewAll(told);
    await told.clock.advance(5_000);
    renewAll(told);
    await told.clock.advance(5_000);
    expect(told.facts).toContainEqual({ kind: 'stalled', forMs: expect.any(Number) });
    expect(health(told)).toEqual([]);
    expect(told.loop.world.blind).toEqual([]);
    told.loop.stop();
  });

  it('takes no word for a death as long as renewals of before may be waiting to be read', async () => {
    const told = watching();
    renewAll(told);
    for (const name of nodes) told.loop.tell({ kind: 'probe', name, uid: `uid-${name}`, result: 'answered' });
    await told.clock.advance(5_000);
    await told.clock.standStill(70_000);
    // The watch of Nodes is faster than the one of Leases, and so are probes.
    told.loop.tell({ kind: 'node', node: nodeNamed('node-1', { ready: 'Unknown' }) });
    for (let i = 0; i < 5; i++)
      told.loop.tell({ kind: 'probe', name: 'node-1', uid: 'uid-node-1', result: 'silent' });
    renewAll(told);
    await told.clock.advance(5_000);
    expect(health(told)).not.toContain('node-1 is dead');
    expect(told.loop.world.ledger.deaths.size).toBe(0);
    told.loop.stop();
  });

  it('judges all the same soon after: a standstill is no excuse for those that stay silent', async () => {
    const told = watching();
    renewAll(told);
    await told.clock.advance(5_000);
    await told.clock.standStill(40_000);
    for (const name of ['node-2', 'node-3']) told.loop.tell({ kind: 'lease', name, renewTime: 'meanwhile' });
    await told.clock.advance(2_100);
    expect(health(told)).toEqual(['node-1 is suspect']);
    told.loop.stop();
  });

  it('judges now and then though it is late each time, as where a process has too little of its machine', async () => {
    const told = watching();
    renewAll(told);
    for (let i = 0; i < 40; i++) {
      await told.clock.standStill(900);
      told.loop.wake();
      if (i % 8 === 0)
        for (const name of ['node-2', 'node-3']) told.loop.tell({ kind: 'lease', name, renewTime: `${i}` });
    }
    expect(health(told)).toEqual(['node-1 is suspect']);
    told.loop.stop();
  });

  it('waits anew after each standstill in which a node may have beaten more than once', async () => {
    const told = watching();
    renewAll(told);
    for (let i = 0; i < 10; i++) {
      await told.clock.standStill(40_000);
      told.loop.wake();
    }
    renewAll(told);
    await told.clock.advance(5_000);
    expect(health(told)).toEqual([]);
    told.loop.stop();
  });

  it('knows by wakes that come too late, too, that it stood still', async () => {
    const clock = new StoppableClock({ turns: 1 });
    const facts: Fact[] = [];
    const loop = new WorldLoop({
      rules: { policies: [anyNode], guards: builtInGuards, sight: defaultSightRules },
      clock,
      wakesEveryMs: 500,
      perform: () => {},
      onRefused: () => {},
      onFailure: () => {},
      onFact: (fact) => facts.push(fact),
    });
    await clock.advance(500);
    loop.wake();
    expect(facts).toEqual([{ kind: 'wake' }]);
    clock.skip(3_500);
    loop.wake();
    expect(facts.slice(1)).toEqual([{ kind: 'stalled', forMs: 3_000 }, { kind: 'wake' }]);
  });

  it('lets no more begin than the budget has room for, though many were held until their window had passed', async () => {
    const clock = new ManualClock({ turns: 1 });
    const admitted: string[] = [];
    const budget = { maxDead: 2, maxDeadPercent: 100, windowMs: 600_000 };
    const loop: WorldLoop = new WorldLoop({
      rules: { policies: [{ ...anyNode, budget }], guards: builtInGuards, sight: defaultSightRules },
      clock,
      perform: (intent) => {
        if (intent.kind !== 'take-over') return;
        const { name } = intent.node.node.metadata;
        admitted.push(name);
        // Nothing is on record before the API server has answered.
        for (const state of ['works', 'waits', 'works'] as const)
          loop.tell({ kind: 'work', node: name, state });
      },
      onRefused: () => {},
      onFailure: (error) => {
        throw error;
      },
    });
    loop.start();
    loop.tell({ kind: 'watches', synced: true, stale: [] });
    const dead = ['a', 'b', 'c', 'd', 'e'];
    const well = ['p', 'q', 'r', 's', 't', 'u'];
    for (const name of [...dead, ...well]) {
      loop.tell({ kind: 'node', node: nodeNamed(name) });
      loop.tell({ kind: 'lease', name, renewTime: '0' });
      loop.tell({ kind: 'probe', name, uid: `uid-${name}`, result: 'answered' });
    }
    loop.wake();
    loop.tell({ kind: 'term', epoch: 1 });
    loop.tell({ kind: 'pause', paused: 'a human said so' });
    const pass = async (ms: number): Promise<void> => {
      for (const until = clock.now() + ms; clock.now() < until; await clock.advance(5_000)) {
        loop.tell({ kind: 'echo', sentAt: clock.now() });
        for (const name of well) loop.tell({ kind: 'lease', name, renewTime: `${clock.now()}` });
        for (const name of dead) loop.tell({ kind: 'probe', name, uid: `uid-${name}`, result: 'silent' });
      }
    };
    await pass(700_000);
    expect(loop.world.ledger.deaths.size).toBe(5);
    loop.tell({ kind: 'pause', paused: undefined });
    await pass(20_000);
    expect(admitted).toEqual(['a', 'b']);
    loop.stop();
  });

  it('goes on without a fact that can’t be understood, and says so', async () => {
    const clock = new StoppableClock({ turns: 1 });
    const refused: string[] = [];
    const loop = new WorldLoop({
      rules: { policies: [anyNode], guards: builtInGuards, sight: defaultSightRules },
      clock,
      perform: () => {},
      onRefused: ({ kind }, error) => refused.push(`${kind}: ${error instanceof Error}`),
      onFailure: (error) => refused.push(String(error)),
    });
    loop.tell({ kind: 'node', node: { metadata: null } as unknown as Node });
    loop.tell({ kind: 'node', node: nodeNamed('node-1') });
    expect(refused).toEqual(['node: true']);
    expect([...loop.world.ledger.nodes.keys()]).toEqual(['node-1']);
  });

  it('hands on what is thrown where nobody called it', async () => {
    const told = watching();
    const failing = new WorldLoop({
      rules: { policies: [anyNode], guards: builtInGuards, sight: defaultSightRules },
      clock: told.clock,
      perform: () => {
        throw new Error('a bug');
      },
      onRefused: () => {},
      onFailure: (error) => told.failures.push(error),
    });
    failing.start();
    failing.tell({ kind: 'watches', synced: true, stale: [] });
    await told.clock.advance(1_000);
    expect(told.failures).toEqual([new Error('a bug')]);
    failing.stop();
    told.loop.stop();
  });
});
