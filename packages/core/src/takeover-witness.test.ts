// What holds a takeover that has begun, and whose policy it follows, with its Node there and without.
import { describe, expect, it } from 'vitest';
import type { NotedNode } from './evidence/noted-node.ts';
import { defaultSightRules } from './evidence/sight.ts';
import type { Node } from './kubernetes/objects.ts';
import { builtInGuards } from './policy/decision.ts';
import type { FleetFacts, Guard } from './policy/guard.ts';
import type { Policy } from './policy/policy.ts';
import type { TakeoverRecord } from './takeover/record.ts';
import { WorldWitness } from './takeover-witness.ts';
import { newRecord } from './testing/dead-node.ts';
import { Fleet } from './testing/fleet.ts';
import { anyNode, leaseOf, nodeNamed } from './testing/fleet-objects.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { newWorld } from './world-state.ts';

const racks: Policy = { ...anyNode, name: 'rack 7', nodes: { matchLabels: { rack: '7' } } };

const noted = (marks: Partial<NotedNode> = {}): NotedNode => ({
  machine: { systemUuid: '', machineId: '', providerId: '' },
  addresses: [],
  labels: { rack: '7' },
  annotations: {},
  ...marks,
});

interface Sight extends Partial<FleetFacts> {
  readonly policies?: readonly Policy[];
  readonly guards?: readonly Guard[];
}

/** A witness of a fleet that has nodes 2 and 3, and others that `fill` adds. */
function witness(sight: Sight = {}, fill: (fleet: Fleet) => void = () => {}): WorldWitness {
  const clock = new ManualClock({ turns: 1 });
  const policies = sight.policies ?? [racks];
  const fleet = new Fleet({ clock, policies, onHealthChange: () => {} });
  for (const name of ['node-2', 'node-3']) fleet.nodeSeen(nodeNamed(name));
  fill(fleet);
  const rules = { policies, guards: sight.guards ?? builtInGuards, sight: defaultSightRules };
  const { blind = [], paused } = sight;
  const world = { ...newWorld(rules, clock.now()), ledger: fleet.ledger, blind, paused };
  return new WorldWitness({ world: () => world, now: () => clock.now() });
}

const record = (change: Partial<TakeoverRecord> = {}): TakeoverRecord =>
  newRecord({ noted: noted(), ...change });

describe('a takeover whose Node is gone', () => {
  it('goes on where nothing holds it', () => {
    expect(witness().holds(record())).toEqual([]);
  });

  it.each<{ what: string; sight?: Sight; marks?: Partial<NotedNode>; reasons: readonly string[] }>([
    {
      what: 'a pause of everything',
      sight: { paused: 'the storage is being migrated' },
      reasons: ['paused: everything is paused: the storage is being migrated'],
    },
    { what: 'blindness', sight: { blind: ['stale'] }, reasons: ['blind: stale'] },
    {
      what: 'a pause that was on the Node',
      marks: { annotations: { 'liberator.dev/paused': 'mine' } },
      reasons: ['paused: the node is paused: mine'],
    },
    {
      what: 'a mark of the field that was on the Node',
      marks: { labels: { rack: '7', 'remediation.medik8s.io/exclude-from-remediation': 'true' } },
      reasons: ['excluded: it is marked remediation.medik8s.io/exclude-from-remediation'],
    },
    {
      what: 'each of several',
      sight: { paused: 'night', blind: ['stale'] },
      marks: { annotations: { 'liberator.dev/exclude': '' } },
      reasons: [
        'blind: stale',
        'paused: everything is paused: night',
        'excluded: it is marked liberator.dev/exclude',
      ],
    },
    {
      what: 'that no policy selects what was noted of it',
      marks: { labels: { rack: '8' } },
      reasons: ['no policy selects the node any more'],
    },
    {
      what: 'that no policy is left',
      sight: { policies: [] },
      reasons: ['no policy selects the node any more'],
    },
  ])('is held by $what', ({ sight, marks, reasons }) => {
    expect(witness(sight).holds(record({ noted: noted(marks) }))).toEqual(reasons);
  });

  it('is held when nothing was noted of it, unless a policy speaks for every node', () => {
    const { noted: _, ...old } = record();
    expect(witness().holds(old)).toEqual(['no policy selects the node any more']);
    expect(witness({ policies: [anyNode] }).holds(old)).toEqual([]);
  });

  it('is not held again by what only keeps takeovers from beginning', () => {
    const controlPlane = { rack: '7', 'node-role.kubernetes.io/control-plane': '' };
    const busy = witness({ dead: ['a', 'b', 'c', 'd'], nodes: 4 });
    expect(busy.holds(record({ evidence: 'suspected', noted: noted({ labels: controlPlane }) }))).toEqual([]);
  });

  it('is as another Node under its name leaves it: by what was noted, not by the marks of that one', () => {
    const replaced = witness({}, (fleet) =>
      fleet.nodeSeen(nodeNamed('node-1', { annotations: { 'liberator.dev/paused': 'x' } })),
    );
    expect(replaced.holds(record())).toEqual([]);
    expect(replaced.nodeNow(record())).toMatchObject({ gone: false, policy: { name: 'rack 7' } });
    expect(replaced.nodeNow(record())).not.toHaveProperty('noted');
    expect(replaced.lifeSign(record())).toBe('a new Node has taken its name');
  });

  it('follows the policy that selects what was noted of it', () => {
    const other: Policy = {
      ...racks,
      name: 'first',
      node: 'keep',
      fencing: { drivers: ['none'], proof: 'optional' },
    };
    expect(witness({ policies: [other, racks] }).nodeNow(record())).toEqual({
      gone: true,
      policy: { name: 'first', node: 'keep', proof: 'optional', drivers: ['none'] },
    });
    expect(witness({ policies: [] }).nodeNow(record())).toEqual({ gone: true });
  });
});

describe('a takeover whose Node is there', () => {
  const there = (labels: Readonly<Record<string, string>>) => (fleet: Fleet) => {
    fleet.nodeSeen(nodeNamed('node-1', { uid: 'n1', labels, annotations: { owner: 'db' } }));
    fleet.assess();
  };

  it('goes by what the Node says now, not by what was noted', () => {
    const moved = witness({}, there({ rack: '8' }));
    expect(moved.holds(record())).toEqual(['no policy selects the node any more']);
    expect(moved.nodeNow(record())).toMatchObject({ noted: { labels: { rack: '8' } } });
    expect(moved.nodeNow(record())).not.toHaveProperty('policy');
  });

  it('waits for evidence where there is none, as after a time of blindness', () => {
    expect(witness({}, there({ rack: '7' })).holds(record())).toEqual([
      'waiting for evidence that the node is still dead',
    ]);
  });

  it('takes no Lease without a time for a sign of life', () => {
    const heard = (renewTime: string | undefined | null) =>
      witness({}, (fleet) => {
        there({ rack: '7' })(fleet);
        fleet.leaseSeen(leaseOf('node-1', renewTime as string | undefined));
      });
    expect(heard(null).lifeSign(record())).toBeUndefined();
    expect(heard(undefined).lifeSign(record())).toBeUndefined();
    expect(heard('r1').lifeSign(record())).toBeUndefined();
    expect(heard('r2').lifeSign(record())).toBe('its Lease is renewed again');
  });
});

describe('the address of a Node that is gone', () => {
  const at = (name: string, systemUUID: string): Node => {
    const node = nodeNamed(name);
    const addresses = [{ type: 'InternalIP', address: '192.0.2.7' }];
    return {
      ...node,
      status: { ...node.status, addresses, nodeInfo: { ...node.status?.nodeInfo, systemUUID } },
    };
  };
  const before: NotedNode = noted({
    machine: { systemUuid: 'BOARD-1', machineId: '', providerId: '' },
    addresses: [{ type: 'InternalIP', address: '192.0.2.7' }],
  });

  it('is reused once another machine that is well has it, for a leader who never saw the Node', () => {
    const others = (...nodes: readonly Node[]): WorldWitness =>
      witness({}, (fleet) => {
        for (const node of nodes) fleet.nodeSeen(node);
      });
    expect(others(at('node-9', 'board-9')).addressIsReused(record({ noted: before }))).toBe(true);
    expect(others(at('node-9', 'board-1')).addressIsReused(record({ noted: before }))).toBe(false);
    expect(others().addressIsReused(record({ noted: before }))).toBe(false);
    expect(others(at('node-9', 'board-9')).addressIsReused(record({ noted: noted() }))).toBe(false);
  });
});
