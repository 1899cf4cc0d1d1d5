// One plan for all deaths: who goes first, what counts for those that come after, and what it costs.
import { describe, expect, it } from 'vitest';
import type { Assessment } from '../evidence/judgement.ts';
import { anyNode } from '../testing/fleet-objects.ts';
import { builtInGuards } from './decision.ts';
import type { Guard } from './guard.ts';
import { type Candidate, makePlan, type Plan, type PlanInput } from './plan.ts';

const unreachable: Assessment = {
  health: 'dead',
  evidence: 'unreachable',
  reasons: ['Lease not renewed for 25s', 'host silent to 3 probes'],
  hostUp: false,
  silentSince: 0,
  nextCheckAt: undefined,
};

function died(name: string, since: number, change: Partial<Candidate> = {}): Candidate {
  const facts = { name, uid: `uid-${name}`, labels: {}, annotations: {}, taints: [] };
  return { facts, assessment: unreachable, policy: anyNode, since, dead: true, ...change };
}

/** A hundred nodes, of which these died. */
function planFor(
  candidates: readonly Candidate[],
  change: Partial<PlanInput> = {},
  fleet: Partial<PlanInput['fleet']> = {},
): Plan {
  const dead = candidates.map(({ facts }) => facts.name);
  const unproven = candidates.map(({ facts, since }) => ({ node: facts.name, since }));
  return makePlan({
    candidates: candidates.map((one) => ({ ...one, facts: { ...one.facts, deadSince: one.since } })),
    fleet: {
      nodes: 100,
      dead,
      blind: [],
      paused: undefined,
      running: 0,
      unproven: unproven.toSorted((a, b) => b.since - a.since),
      ...fleet,
    },
    queue: [],
    guards: builtInGuards,
    now: 100_000,
    ...change,
  });
}

const budget = (maxDead: number, maxRunning: number): Pick<Candidate, 'policy'> => ({
  policy: { ...anyNode, budget: { maxDead, maxDeadPercent: 100, maxRunning } },
});

describe('a plan', () => {
  it('admits who died first, whatever the order in which nodes are known', () => {
    const open = budget(100, 2);
    const plan = planFor([died('c', 30, open), died('a', 20, open), died('b', 10, open)]);
    expect(plan.admissions).toEqual(['b', 'a']);
    expect(plan.queue).toEqual(['c']);
    expect(plan.decisions.get('c')?.action).toBe('hold');
  });

  it('lets whoever waits their turn go before those that died earlier and were held for another reason', () => {
    const open = budget(100, 1);
    const plan = planFor([died('held-until-now', 5, open), died('waits', 20, open)], { queue: ['waits'] });
    expect(plan.admissions).toEqual(['waits']);
  });

  it('counts what it admits at once, for those that come after', () => {
    const candidates = [1, 2, 3].map((i) => died(`node-${i}`, 99_000 + i, budget(2, 16)));
    const plan = planFor(candidates, { candidates }, { unproven: [] });
    expect(plan.admissions).toEqual(['node-1', 'node-2']);
    const reasons = plan.decisions
      .get('node-3')
      ?.verdicts.flatMap(({ guard, verdict }) => (verdict.outcome === 'hold' ? [guard] : []));
    expect(reasons).toEqual(['budget']);
  });

  it('tells every reason for a node whose host is up, and never admits it', () => {
    const hangs = { ...unreachable, health: 'suspect' as const, hostUp: true };
    const plan = planFor([died('node-1', 10, { dead: false, assessment: hangs })]);
    expect(plan.admissions).toEqual([]);
    expect(plan.queue).toEqual([]);
    expect(plan.decisions.get('node-1')?.action).toBe('hold');
  });

  it('knows when to look again: at the earliest time at which a guard lets something pass', () => {
    const until = (name: string, at: number): Guard => ({
      name,
      evaluate: ({ node }) =>
        node.name === name ? { outcome: 'hold', reason: 'not yet', until: at } : { outcome: 'pass' },
    });
    const plan = planFor([died('a', 1, budget(100, 0)), died('b', 2, budget(100, 0))], {
      guards: [until('a', 300_000), until('b', 200_000)],
    });
    expect(plan.nextCheckAt).toBe(200_000);
  });

  it('gives guards what is known of zones', () => {
    const seen: unknown[] = [];
    const zoneLimit: Guard = {
      name: 'zone-limit',
      evaluate: ({ fleet }) => {
        seen.push(fleet.zones?.get('a'));
        return { outcome: 'pass' };
      },
    };
    planFor([died('a', 1)], { guards: [zoneLimit] }, { zones: new Map([['a', { nodes: 3, dead: 1 }]]) });
    expect(seen).toEqual([{ nodes: 3, dead: 1 }]);
  });

  it('asks each guard once about each death, and costs what the dead are', () => {
    let asked = 0;
    const counting: Guard = {
      name: 'counting',
      evaluate: () => {
        asked++;
        return { outcome: 'pass' };
      },
    };
    const timeFor = (dead: number): number => {
      const open = budget(2, 16);
      const candidates = Array.from({ length: dead }, (_, i) => died(`node-${i}`, i, open));
      const times = Array.from({ length: 5 }, () => {
        const { user } = process.cpuUsage();
        planFor(candidates, { guards: [...builtInGuards, counting] }, { nodes: 10_000 });
        return process.cpuUsage().user - user;
      });
      return Math.min(...times);
    };
    planFor([died('warm', 1)]);
    timeFor(500);
    asked = 0;
    const some = timeFor(500);
    expect(asked).toBe(5 * 500);
    // Ten times as many: a hundred times the cost is what this is to keep from coming back.
    expect(timeFor(5_000)).toBeLessThan(Math.max(some, 1_000) * 30);
  });
});
