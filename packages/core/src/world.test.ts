// The world says at every moment what a look at everything would say, though it looks only at what changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heardOf } from './evidence/hearing.ts';
import type { KnownNode } from './evidence/known-node.ts';
import { judge, zoneLabel } from './evidence/ledger.ts';
import { endpointsOf } from './evidence/reused-address.ts';
import { defaultPollDetection } from './evidence/rules.ts';
import { defaultSightRules, silentAfterMs } from './evidence/sight.ts';
import { confirmedDeadAnnotation } from './marks/confirmed.ts';
import { builtInGuards } from './policy/decision.ts';
import type { Policy } from './policy/policy.ts';
import { newRecord } from './testing/dead-node.ts';
import { anyNode, nodeNamed } from './testing/fleet-objects.ts';
import { type Fact, type Intent, newWorld, nextWakeAt, step, type World, type WorldRules } from './world.ts';

const polled: Policy = {
  ...anyNode,
  name: 'polled',
  nodes: { matchLabels: { polled: 'yes' } },
  detection: defaultPollDetection,
};
const watched: Policy = {
  ...anyNode,
  name: 'watched',
  nodes: { matchExpressions: [{ key: 'left-alone', operator: 'DoesNotExist' }] },
};
const rules: WorldRules = {
  policies: [polled, watched],
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
      { 'left-alone': 'yes' },
    ),
    address: fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.3'),
    confirmed: fc.boolean(),
  })
  .map(({ name: of, life, ready, labels, address, confirmed }): Fact => {
    const annotations = confirmed ? { [confirmedDeadAnnotation]: 'some-death' } : {};
    const node = nodeNamed(of, { uid: `${of}/${life}`, ready, labels, annotations, bootId: `boot-${life}` });
    const addresses = [{ type: 'InternalIP', address }];
    return { kind: 'node', node: { ...node, status: { ...node.status, addresses } } };
  });

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
    tell(told);
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
