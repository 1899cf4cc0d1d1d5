// The world says at every moment what a look at everything would say, though it looks only at what changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deathIdOf } from './evidence/death-id.ts';
import { heardOf } from './evidence/hearing.ts';
import type { KnownNode } from './evidence/known-node.ts';
import { judge } from './evidence/ledger.ts';
import { zoneLabel } from './evidence/ledger-state.ts';
import { endpointsOf } from './evidence/reused-address.ts';
import { defaultHeartbeatDetection, defaultPollDetection } from './evidence/rules.ts';
import { defaultSightRules, silentAfterMs } from './evidence/sight.ts';
import { confirmedDeadAnnotation } from './marks/confirmed.ts';
import { builtInGuards } from './policy/decision.ts';
import { type FleetFacts, type Guard, hold } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import { newRecord } from './testing/dead-node.ts';
import { anyNode, nodeNamed } from './testing/fleet-objects.ts';
import { nextWakeAt, step } from './world.ts';
import { type Fact, type Intent, newWorld, type World, type WorldRules } from './world-state.ts';

const polled: Policy = {
  ...anyNode,
  name: 'polled',
  nodes: { matchLabels: { polled: 'yes' } },
  detection: defaultPollDetection,
};
const patient: Policy = {
  ...anyNode,
  name: 'patient',
  nodes: { matchLabels: { patient: 'yes' } },
  detection: {
    ...defaultHeartbeatDetection,
    suspectAfterMs: 120_000,
    deadAfterMs: 120_000,
    deadUnprobedAfterMs: 240_000,
  },
};
const watched: Policy = {
  ...anyNode,
  name: 'watched',
  nodes: { matchExpressions: [{ key: 'left-alone', operator: 'DoesNotExist' }] },
};
const rules: WorldRules = {
  policies: [polled, patient, watched],
  guards: builtInGuards,
  sight: defaultSightRules,
};

/** What happens, and how long after what came before. */
interface Happening {
  readonly afterMs: number;
  readonly fact: Fact;
}

const names = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5'];
const name = fc.constantFrom(...names);

const thisDeath = 'this death';

const nodeFact = fc
  .record({
    name,
    life: fc.integer({ min: 1, max: 2 }),
    ready: fc.constantFrom(
      'True' as const,
      'True' as const,
      'Unknown' as const,
      'False' as const,
      'absent' as const,
    ),
    labels: fc.constantFrom<Record<string, string>>(
      {},
      { [zoneLabel]: 'a' },
      { [zoneLabel]: 'b' },
      { polled: 'yes' },
      { patient: 'yes' },
      { patient: 'yes' },
      { 'left-alone': 'yes' },
    ),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
    confirmed: fc.constantFrom<string | undefined>(undefined, 'another death', thisDeath),
  })
  .map(({ name: of, life, ready, labels, address, confirmed }): Fact => {
    const annotations = confirmed === undefined ? {} : { [confirmedDeadAnnotation]: confirmed };
    const node = nodeNamed(of, { uid: `${of}/${life}`, ready, labels, annotations, bootId: `boot-${life}` });
    const addresses = [{ type: 'InternalIP', address }];
    return { kind: 'node', node: { ...node, status: { ...node.status, addresses } } };
  });

/** With the id of the death that the node would have at that moment, where a human confirms that very one. */
function withDeathOfNow(told: Fact, { ledger }: World): Fact {
  if (told.kind !== 'node') return told;
  const { metadata } = told.node;
  const known = ledger.nodes.get(metadata.name);
  if (known === undefined || metadata.annotations?.[confirmedDeadAnnotation] !== thisDeath) return told;
  const annotations = { [confirmedDeadAnnotation]: known.deathId };
  return { kind: 'node', node: { ...told.node, metadata: { ...metadata, annotations } } };
}

const fact: fc.Arbitrary<Fact> = fc.oneof(
  { weight: 4, arbitrary: nodeFact },
  {
    weight: 8,
    arbitrary: fc
      .record({ name, renewTime: fc.integer({ min: 0, max: 1_000 }).map(String), listed: fc.boolean() })
      .map(({ listed, ...rest }): Fact => ({ kind: 'lease', ...rest, ...(listed && { listed }) })),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({
        name,
        life: fc.integer({ min: 1, max: 2 }),
        result: fc.constantFrom(
          'silent' as const,
          'silent' as const,
          'answered' as const,
          'refused' as const,
        ),
      })
      .map(({ name: of, life, result }): Fact => ({ kind: 'probe', name: of, uid: `${of}/${life}`, result })),
  },
  { weight: 1, arbitrary: name.map((of): Fact => ({ kind: 'node-gone', name: of })) },
  { weight: 1, arbitrary: name.map((of): Fact => ({ kind: 'lease-gone', name: of })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<readonly string[]>([], [], ['a watch is stale'])
      .map((stale): Fact => ({ kind: 'watches', synced: true, stale })),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 10_000 }).map((forMs): Fact => ({ kind: 'stalled', forMs })),
  },
  { weight: 1, arbitrary: fc.constantFrom<Fact>({ kind: 'term', epoch: 1 }, { kind: 'term-over' }) },
  {
    weight: 2,
    arbitrary: fc
      .record({ of: name, result: fc.constantFrom(undefined, 'recovered' as const, 'undone' as const) })
      .map(({ of, result }): Fact => {
        const record = newRecord({
          id: `takeover-of-${of}`,
          deathId: `death-of-${of}`,
          node: { name: of, uid: `${of}/1`, bootId: 'boot-1' },
          ...(result && { result }),
        });
        return { kind: 'record', stored: { record, resourceVersion: 'x', annotations: {} } };
      }),
  },
);

const story: fc.Arbitrary<readonly Happening[]> = fc.array(
  fc.record({
    afterMs: fc.oneof(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 30_000 })),
    fact,
  }),
  { maxLength: 60 },
);

/** Tells a story to a world that is woken when it asks for it and twice a second; `look` is called after each wake. */
function play(
  happenings: readonly Happening[],
  look: (world: World, now: number) => void,
): readonly Intent[] {
  const intents: Intent[] = [];
  let world = newWorld(rules, 0);
  let now = 0;
  const tell = (told: Fact): void => {
    const next = step(world, told, now);
    world = next.world;
    intents.push(...next.intents);
  };
  const passUntil = (until: number): void => {
    for (;;) {
      const at = Math.min(Math.max(nextWakeAt(world, now), now), Math.floor(now / 500) * 500 + 500);
      if (at > until) break;
      now = at;
      tell({ kind: 'wake' });
      look(world, now);
      if (nextWakeAt(world, now) <= now) now += 1;
    }
    now = Math.max(now, until);
  };
  tell({ kind: 'watches', synced: true, stale: [] });
  for (const { afterMs, fact: told } of happenings) {
    passUntil(now + afterMs);
    tell(withDeathOfNow(told, world));
  }
  passUntil(now + 5_000);
  return intents;
}

const standingOf = ({ health, assessment }: KnownNode<Policy>): object => ({
  health,
  evidence: assessment?.evidence,
  hostUp: assessment?.hostUp,
});

describe('a world', () => {
  it('has judged every node as a look at all of them would judge it', () => {
    fc.assert(
      fc.property(story, (happenings) => {
        play(happenings, (world, now) => {
          if (now < world.judgesFrom) return;
          for (const [of, known] of world.ledger.nodes) {
            const { ledger } = judge(world.ledger, of, now, {
              blind: world.blind.length > 0,
              returning: known.health === 'returning',
              silentAfterMs: silentAfterMs(rules.sight),
            });
            expect({ of, now, ...standingOf(ledger.nodes.get(of) ?? known) }).toEqual({
              of,
              now,
              ...standingOf(known),
            });
          }
        });
      }),
      { numRuns: 300 },
    );
  });

  it('keeps of all nodes together what counting them would find', () => {
    fc.assert(
      fc.property(story, (happenings) => {
        play(happenings, ({ ledger, judgesFrom }, now) => {
          const all = [...ledger.nodes.values()];
          const heard = all.map((known) => [known.node.metadata.name, heardOf(known)] as const);
          const those = (test: (known: KnownNode<Policy>) => boolean): readonly string[] =>
            all.filter(test).map(({ node }) => node.metadata.name);
          expect(ledger.heard).toBe(heard.filter(([, at]) => at === 'now' || typeof at === 'number').length);
          expect(new Map(ledger.unheard)).toEqual(new Map(heard.filter(([, at]) => typeof at === 'object')));
          if (now >= judgesFrom) {
            const silent = heard.filter(
              ([, at]) => typeof at === 'number' && now - at >= silentAfterMs(rules.sight),
            );
            expect(new Map(ledger.silent)).toEqual(new Map(silent as [string, number][]));
          }
          expect(new Set(ledger.unwell)).toEqual(new Set(those(({ health }) => health !== 'alive')));
          expect(new Set(ledger.confirmed)).toEqual(
            new Set(those(({ node }) => node.metadata.annotations?.[confirmedDeadAnnotation] !== undefined)),
          );
          expect(new Set(ledger.hostsUnheard)).toEqual(new Set(those(({ hostHeard }) => !hostHeard)));
          const zones = new Map<string, number>();
          const addresses = new Map<string, Set<string>>();
          for (const { node } of all) {
            const zone = node.metadata.labels?.[zoneLabel];
            if (zone !== undefined) zones.set(zone, (zones.get(zone) ?? 0) + 1);
            for (const endpoint of endpointsOf(node)) {
              addresses.set(endpoint, (addresses.get(endpoint) ?? new Set()).add(node.metadata.name));
            }
          }
          expect(new Map(ledger.zones)).toEqual(zones);
          expect(new Map([...ledger.addresses].map(([at, of]) => [at, new Set(of)]))).toEqual(addresses);
        });
      }),
      { numRuns: 200 },
    );
  });

  it('sees an outage though most nodes are of a policy that is patient, and were late before', () => {
    const names = ['a', 'b', 'p', 'q', 'r', 's'];
    const nodes = names.map((of): Fact => {
      const labels: Record<string, string> = of < 'p' ? {} : { patient: 'yes' };
      return { kind: 'node', node: nodeNamed(of, { labels }) };
    });
    const renewals = (renewTime: string): readonly Fact[] =>
      names.map((of) => ({ kind: 'lease', name: of, renewTime }));
    const happenings = [
      [0, nodes],
      [0, renewals('0')],
      [5_000, renewals('1')],
      // Silent for a moment, but not suspect.
      [14_000, renewals('2')],
      ...[3, 4, 5, 6].map((at) => [10_000, renewals(String(at))] as const),
      // From here on nobody is heard.
      ...Array.from({ length: 30 }, () => {
        const silent = ['a', 'b'].map(
          (of): Fact => ({ kind: 'probe', name: of, uid: `uid-${of}`, result: 'silent' }),
        );
        return [1_000, silent] as const;
      }),
    ] as const;
    const heard: Happening[] = names.map((of) => ({
      afterMs: 0,
      fact: { kind: 'probe', name: of, uid: `uid-${of}`, result: 'answered' },
    }));
    const told = happenings.flatMap(([afterMs, facts]) =>
      facts.map((fact, i): Happening => ({ afterMs: i === 0 ? afterMs : 0, fact })),
    );
    const intents = play([...told.slice(0, 18), ...heard, ...told.slice(18)], () => {});
    const said = intents.flatMap((intent) => {
      if (intent.kind === 'sight') return intent.blind;
      return intent.kind === 'health' ? [`${intent.change.node} is ${intent.change.to}`] : [];
    });
    expect(said).toContain('6 of 6 node Leases fell silent together');
    expect(said).not.toContain('a is dead');
  });

  it('counts the silence of a node again whose death somebody vouched for and takes back', () => {
    const known = deathIdOf('uid-node-1', '0');
    const annotations = { [confirmedDeadAnnotation]: known };
    const facts: readonly (readonly [number, Fact])[] = [
      [0, { kind: 'node', node: nodeNamed('node-1') }],
      [0, { kind: 'lease', name: 'node-1', renewTime: '0' }],
      // By then nothing more is arranged for it.
      [100_000, { kind: 'node', node: nodeNamed('node-1', { annotations }) }],
      [1_000, { kind: 'node', node: nodeNamed('node-1') }],
    ];
    const silent: (readonly string[])[] = [];
    play(
      facts.map(([afterMs, fact]) => ({ afterMs, fact })),
      ({ ledger }) => silent.push([...ledger.silent.keys()]),
    );
    expect(silent).toContainEqual(['node-1']);
    expect(silent.slice(silent.findLastIndex((those) => those.length === 0) + 1)).not.toEqual([]);
  });

  it('tells guards of all that are dead, of one that was taken over and kept as well', () => {
    const seen: FleetFacts[] = [];
    const curious: Guard = {
      name: 'curious',
      evaluate: ({ fleet }) => {
        seen.push(fleet);
        return hold('it only looks');
      },
    };
    let world = newWorld({ ...rules, guards: [curious] }, 0);
    const tell = (now: number, ...facts: readonly Fact[]): void => {
      for (const fact of facts) ({ world } = step(world, fact, now));
    };
    const labels = { [zoneLabel]: 'a' };
    const renewed = (renewTime: string): readonly Fact[] =>
      ['node-3', 'node-4', 'node-5'].map((of) => ({ kind: 'lease', name: of, renewTime }));
    const silent = ['node-1', 'node-2'];
    tell(
      0,
      { kind: 'watches', synced: true, stale: [] },
      ...names.map((of): Fact => ({ kind: 'node', node: nodeNamed(of, { labels }) })),
      ...names.map((of): Fact => ({ kind: 'lease', name: of, renewTime: '0' })),
      ...names.map((of): Fact => ({ kind: 'probe', name: of, uid: `uid-${of}`, result: 'answered' })),
      { kind: 'wake' },
    );
    tell(20_000, ...renewed('1'), { kind: 'wake' });
    for (const of of silent)
      for (let i = 0; i < 3; i++)
        tell(20_000, { kind: 'probe', name: of, uid: `uid-${of}`, result: 'silent' });
    const deathId = deathIdOf('uid-node-1', '0');
    const node = { name: 'node-1', uid: 'uid-node-1', bootId: 'boot-1' };
    const record = newRecord({ id: deathId, deathId, node, result: 'recovered' });
    tell(
      26_000,
      ...renewed('2'),
      { kind: 'term', epoch: 1 },
      { kind: 'record', stored: { record, resourceVersion: '1', annotations: {} } },
      { kind: 'echo', sentAt: 26_000 },
      { kind: 'wake' },
    );
    expect([...(world.term?.decisions.keys() ?? [])]).toEqual(['node-2']);
    expect(seen.at(-1)?.zones?.get('a')).toEqual({ nodes: 5, dead: 2 });
    expect(seen.at(-1)?.dead).toEqual(['node-1', 'node-2']);
  });

  it('makes no plan anew for what no plan goes by: many are well, and each takeover is written down again and again', () => {
    let world = newWorld(rules, 0);
    const tell = (...facts: readonly Fact[]): void => {
      for (const fact of facts) ({ world } = step(world, fact, 60_000));
    };
    const recordOf = (change: Partial<TakeoverRecord>): Fact => {
      const id = deathIdOf('uid-node-1', '0');
      const node = { name: 'node-1', uid: 'uid-node-1', bootId: 'boot-1' };
      const record = newRecord({ id, deathId: id, node, ...change });
      return { kind: 'record', stored: { record, resourceVersion: 'x', annotations: {} } };
    };
    tell(
      { kind: 'watches', synced: true, stale: [] },
      { kind: 'node', node: nodeNamed('node-1', { ready: 'Unknown' }) },
      { kind: 'node', node: nodeNamed('node-2', { labels: { [zoneLabel]: 'a' } }) },
      { kind: 'term', epoch: 1 },
      recordOf({}),
      { kind: 'wake' },
    );
    const stirs = (fact: Fact): boolean => {
      tell({ kind: 'wake' });
      expect(world.stirred).toBe(false);
      tell(fact);
      return world.stirred;
    };
    const labels = { [zoneLabel]: 'a' };
    expect(world.ledger.nodes.get('node-1')?.health).toBe('suspect');
    expect(stirs({ kind: 'node', node: nodeNamed('node-2', { labels, annotations: { a: 'b' } }) })).toBe(
      false,
    );
    expect(stirs(recordOf({ pods: [], outOfService: true }))).toBe(false);
    expect(
      stirs({ kind: 'node', node: nodeNamed('node-1', { ready: 'Unknown', annotations: { a: 'b' } }) }),
    ).toBe(true);
    expect(stirs({ kind: 'node', node: nodeNamed('node-2', { labels: { [zoneLabel]: 'b' } }) })).toBe(true);
    expect(stirs({ kind: 'node', node: nodeNamed('node-2', { uid: 'another' }) })).toBe(true);
    expect(stirs({ kind: 'node', node: nodeNamed('node-3') })).toBe(true);
    expect(stirs({ kind: 'node-gone', name: 'node-3' })).toBe(true);
    expect(stirs({ kind: 'work', node: 'node-1', state: 'works' })).toBe(true);
    expect(stirs({ kind: 'work', node: 'node-1', state: 'works' })).toBe(false);
    expect(stirs({ kind: 'work', node: 'node-1', state: 'over' })).toBe(true);
    expect(stirs(recordOf({ evidence: 'proven' }))).toBe(true);
    expect(stirs(recordOf({ evidence: 'proven', result: 'recovered' }))).toBe(true);
    expect(stirs(recordOf({ evidence: 'proven', result: 'recovered', windowPassed: true }))).toBe(true);
  });

  it('is the same after the same facts, and never changes', () => {
    fc.assert(
      fc.property(story, (happenings) => {
        const shown: string[] = [];
        const kept: World[] = [];
        const first = play(happenings, (world) => {
          kept.push(world);
          shown.push(JSON.stringify(world));
        });
        expect(play(happenings, () => {})).toEqual(first);
        expect(kept.map((world) => JSON.stringify(world))).toEqual(shown);
      }),
      { numRuns: 100 },
    );
  });
});
