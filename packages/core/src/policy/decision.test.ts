// Each guard by itself, and the decision that they come to together.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Assessment, Evidence } from '../evidence/judgement.ts';
import { defaultHeartbeatDetection } from '../evidence/rules.ts';
import { builtInGuards, decide, holdReasons } from './decision.ts';
import {
  type FleetFacts,
  type Guard,
  type GuardInput,
  hold,
  type NodeFacts,
  pass,
  type UnprovenDeath,
} from './guard.ts';
import { blind } from './guards/blind.ts';
import { budget } from './guards/budget.ts';
import { controlPlane } from './guards/control-plane.ts';
import { evidence } from './guards/evidence.ts';
import { excluded } from './guards/excluded.ts';
import { paused } from './guards/paused.ts';
import { queue } from './guards/queue.ts';
import { undone } from './guards/undone.ts';
import type { Policy } from './policy.ts';

const policy: Policy = {
  name: 'default',
  nodes: { all: true },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 2, maxDeadPercent: 34 },
  fencing: { drivers: ['manual'], proof: 'required' },
  node: 'delete',
};

const deadNode: Assessment = {
  health: 'dead',
  evidence: 'unreachable',
  reasons: ['Lease not renewed for 30s'],
  hostUp: false,
  silentSince: 0,
  nextCheckAt: undefined,
};

/** A dead node that every guard lets pass, but for what is given. */
function input(given: {
  node?: Partial<NodeFacts>;
  assessment?: Partial<Assessment>;
  policy?: Partial<Policy>;
  fleet?: Partial<FleetFacts>;
}): GuardInput {
  return {
    node: { name: 'node-1', uid: 'uid-1', labels: {}, annotations: {}, taints: [], ...given.node },
    assessment: { ...deadNode, ...given.assessment },
    policy: { ...policy, ...given.policy },
    fleet: { nodes: 10, dead: ['node-1'], blind: [], paused: undefined, ...given.fleet },
    now: 60_000,
  };
}

describe('the guard "blind"', () => {
  it('holds with every reason for which we can’t see', () => {
    expect(blind.evaluate(input({}))).toEqual(pass);
    expect(blind.evaluate(input({ fleet: { blind: ['a is stale', 'b is stale'] } }))).toEqual(
      hold('a is stale; b is stale'),
    );
  });
});

describe('the guard "paused"', () => {
  it.each([
    { annotation: undefined, everything: undefined, outcome: 'pass' },
    { annotation: 'disk swap', everything: undefined, outcome: 'hold' },
    { annotation: '', everything: undefined, outcome: 'hold' },
    { annotation: 'false', everything: undefined, outcome: 'pass' },
    { annotation: undefined, everything: 'upgrade', outcome: 'hold' },
    { annotation: 'false', everything: '', outcome: 'hold' },
  ])(
    'with "$annotation" on the node and "$everything" for all: $outcome',
    ({ annotation, everything, outcome }) => {
      const annotations = annotation === undefined ? {} : { 'liberator.dev/paused': annotation };
      const verdict = paused.evaluate(input({ node: { annotations }, fleet: { paused: everything } }));
      expect(verdict.outcome).toBe(outcome);
    },
  );

  it('tells the reason that the human gave', () => {
    const node = { annotations: { 'liberator.dev/paused': 'disk swap' } };
    expect(paused.evaluate(input({ node }))).toEqual(hold('the node is paused: disk swap'));
    expect(paused.evaluate(input({ fleet: { paused: 'upgrade' } }))).toEqual(
      hold('everything is paused: upgrade'),
    );
  });
});

describe('the guard "excluded"', () => {
  const marks = [
    'liberator.dev/exclude',
    'remediation.medik8s.io/exclude-from-remediation',
    'node.kubernetes.io/exclude-disruption',
    'cluster.x-k8s.io/skip-remediation',
  ];

  it.each(marks)('holds for %s as a label and as an annotation, unless it says false', (mark) => {
    for (const where of ['labels', 'annotations'] as const) {
      expect(excluded.evaluate(input({ node: { [where]: { [mark]: '' } } }))).toEqual(
        hold(`it is marked ${mark}`),
      );
      expect(excluded.evaluate(input({ node: { [where]: { [mark]: 'true' } } })).outcome).toBe('hold');
      expect(excluded.evaluate(input({ node: { [where]: { [mark]: 'false' } } }))).toEqual(pass);
    }
  });

  it('holds when one of label and annotation marks the node and the other does not', () => {
    const on = { 'liberator.dev/exclude': 'true' };
    const off = { 'liberator.dev/exclude': 'false' };
    expect(excluded.evaluate(input({ node: { labels: off, annotations: on } })).outcome).toBe('hold');
    expect(excluded.evaluate(input({ node: { labels: on, annotations: off } })).outcome).toBe('hold');
  });

  it.each([
    { key: 'ToBeDeletedByClusterAutoscaler', outcome: 'hold' },
    { key: 'karpenter.sh/disrupted', outcome: 'hold' },
    { key: 'node.kubernetes.io/unreachable', outcome: 'pass' },
    { key: 'liberator.dev/takeover', outcome: 'pass' },
  ])('with the taint $key: $outcome', ({ key, outcome }) => {
    const taints = [
      { key: 'other', effect: 'NoSchedule' },
      { key, effect: 'NoSchedule' },
    ];
    expect(excluded.evaluate(input({ node: { taints } })).outcome).toBe(outcome);
  });
});

describe('the guard "control-plane"', () => {
  it.each(['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'])(
    'holds for %s unless the policy includes those',
    (label) => {
      const node = { labels: { [label]: '' } };
      expect(controlPlane.evaluate(input({ node })).outcome).toBe('hold');
      expect(controlPlane.evaluate(input({ node, policy: { controlPlane: true } }))).toEqual(pass);
      expect(controlPlane.evaluate(input({ node: { labels: { role: 'worker' } } }))).toEqual(pass);
    },
  );
});

describe('the guard "evidence"', () => {
  const order: readonly Evidence[] = ['none', 'suspected', 'unreachable', 'proven'];

  it.each(
    order.flatMap((found) =>
      (['suspected', 'unreachable', 'proven'] as const).map((asked) => ({ found, asked })),
    ),
  )('with "$found" where "$asked" is asked for', ({ found, asked }) => {
    const { outcome } = evidence.evaluate(
      input({ assessment: { evidence: found }, policy: { evidence: asked } }),
    );
    expect(outcome).toBe(order.indexOf(found) >= order.indexOf(asked) ? 'pass' : 'hold');
  });

  it.each(['suspected', 'unreachable'] as const)(
    'holds with "%s" as long as the host is up, even when the policy asks for no more',
    (found) => {
      const verdict = evidence.evaluate(
        input({
          assessment: { evidence: found, hostUp: true, reasons: ['the host is up: its kubelet answers'] },
          policy: { evidence: 'suspected' },
        }),
      );
      expect(verdict).toEqual(hold('the host is up: its kubelet answers; a dead kubelet is not a dead node'));
    },
  );

  it('passes with proof, host or no host', () => {
    expect(evidence.evaluate(input({ assessment: { evidence: 'proven', hostUp: true } }))).toEqual(pass);
  });
});

describe('the guard "budget"', () => {
  it.each([
    { nodes: 10, dead: 1, outcome: 'pass' },
    { nodes: 10, dead: 2, outcome: 'pass' },
    { nodes: 10, dead: 3, outcome: 'hold' },
    { nodes: 1_000, dead: 3, outcome: 'hold' },
    { nodes: 6, dead: 2, outcome: 'pass' },
    { nodes: 5, dead: 2, outcome: 'hold' },
    { nodes: 3, dead: 1, outcome: 'pass' },
    { nodes: 2, dead: 1, outcome: 'pass' },
    { nodes: 1, dead: 1, outcome: 'pass' },
    { nodes: 0, dead: 1, outcome: 'pass' },
  ])('with $dead of $nodes nodes dead, 2 or 34 % allowed: $outcome', ({ nodes, dead, outcome }) => {
    const names = Array.from({ length: dead }, (_, i) => `node-${i + 1}`);
    expect(budget.evaluate(input({ fleet: { nodes, dead: names } })).outcome).toBe(outcome);
  });

  it('counts the node in question once, whether or not it is on the list', () => {
    expect(budget.evaluate(input({ fleet: { dead: ['node-2'] } })).outcome).toBe('pass');
    expect(budget.evaluate(input({ fleet: { dead: ['node-2', 'node-3'] } })).outcome).toBe('hold');
    expect(budget.evaluate(input({ fleet: { dead: ['node-1', 'node-1', 'node-2'] } })).outcome).toBe('pass');
  });

  it('always allows one, and says how many it would allow, who counts and until when', () => {
    const strict = { budget: { maxDead: 0, maxDeadPercent: 0 } };
    expect(budget.evaluate(input({ policy: strict }))).toEqual(pass);
    const unproven = [{ node: 'node-2', since: 50_000 }];
    expect(budget.evaluate(input({ policy: strict, fleet: { unproven } }))).toEqual({
      outcome: 'hold',
      reason:
        '2 of 10 nodes are dead without proof (node-2, node-1), at most 1 may be; each counts until it has returned, its ' +
        'death is proven, or 15 min have passed',
      until: 950_000,
    });
  });

  const died = (...times: readonly number[]): readonly UnprovenDeath[] =>
    times.map((since, at) => ({ node: `other-${at + 1}`, since })).toSorted((a, b) => b.since - a.since);

  it.each([
    { what: 'within the window', now: 900_099, outcome: 'hold' },
    { what: 'once the window has passed for one', now: 900_100, outcome: 'pass' },
  ])('counts deaths $what', ({ now, outcome }) => {
    const given = input({ fleet: { unproven: died(100, 200) } });
    expect(budget.evaluate({ ...given, now })).toMatchObject(
      outcome === 'hold' ? { outcome, until: 900_100 } : { outcome },
    );
  });

  it('has the window that the policy says', () => {
    const given = input({
      fleet: { unproven: died(100, 200) },
      policy: { budget: { maxDead: 2, maxDeadPercent: 50, windowMs: 5_000 } },
    });
    expect(budget.evaluate({ ...given, now: 5_099 })).toMatchObject({
      outcome: 'hold',
      reason: expect.stringContaining('or 5 s have passed'),
    });
    expect(budget.evaluate({ ...given, now: 5_100 }).outcome).toBe('pass');
  });

  it('lets a death pass that somebody vouches for, whoever else is dead', () => {
    const given = { fleet: { unproven: died(1, 2, 3, 4) } };
    expect(budget.evaluate(input(given)).outcome).toBe('hold');
    expect(budget.evaluate(input({ ...given, assessment: { evidence: 'proven' } }))).toEqual(pass);
  });

  it('names those that count longest, and says how many more there are', () => {
    const verdict = budget.evaluate(input({ fleet: { nodes: 100, unproven: died(1, 2, 3, 4, 5, 6, 7) } }));
    expect(verdict).toMatchObject({
      reason: expect.stringContaining(
        '8 of 100 nodes are dead without proof (other-1, other-2, other-3, other-4, other-5, 2 more, node-1)',
      ),
    });
  });

  it('counts as a plain list of deaths would, and knows when the last that is too many leaves the window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(30), { maxLength: 12 }),
        fc.option(fc.nat(30), { nil: undefined }),
        fc.integer({ min: 1, max: 5 }),
        (times, own, maxDead) => {
          const deaths = [
            ...times.map((since, at) => ({ node: `other-${at}`, since })),
            ...(own === undefined ? [] : [{ node: 'node-1', since: own }]),
          ].toSorted((a, b) => b.since - a.since);
          const given = input({
            ...(own !== undefined && { node: { deadSince: own } }),
            fleet: { nodes: 100, unproven: deaths },
            policy: { budget: { maxDead, maxDeadPercent: 100, windowMs: 20 } },
          });
          const overAt = (now: number): boolean =>
            times.filter((since) => now - since < 20).length + 1 > maxDead;
          const verdict = budget.evaluate({ ...given, now: 30 });
          expect(verdict.outcome).toBe(overAt(30) ? 'hold' : 'pass');
          if (verdict.outcome === 'pass') return;
          expect([overAt((verdict.until ?? 0) - 1), overAt(verdict.until ?? 0)]).toEqual([true, false]);
        },
      ),
    );
  });

  it('never allows more than either limit, except for the first', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(50),
        fc.nat(20),
        fc.nat(100),
        (nodes, dead, maxDead, maxDeadPercent) => {
          const names = Array.from({ length: dead }, (_, i) => `node-${i + 1}`);
          const verdict = budget.evaluate(
            input({ fleet: { nodes, dead: names }, policy: { budget: { maxDead, maxDeadPercent } } }),
          );
          const count = Math.max(dead, 1);
          const within = count <= maxDead && count * 100 <= nodes * maxDeadPercent;
          expect(verdict.outcome).toBe(within || count === 1 ? 'pass' : 'hold');
        },
      ),
    );
  });
});

describe('the reason of the guard "budget"', () => {
  it('does not name a node among the dead whose host is up', () => {
    const since = 0;
    const deaths = ['node-2', 'node-3'].map((node) => ({ node, since }));
    const given = {
      assessment: { health: 'suspect', hostUp: true },
      fleet: { dead: ['node-2', 'node-3'], unproven: deaths },
    } as const;
    expect(budget.evaluate(input(given))).toMatchObject({
      outcome: 'hold',
      reason:
        '2 of 10 nodes are dead without proof (node-3, node-2), at most 2 may be, and it would be one more; each counts until ' +
        'it has returned, its death is proven, or 15 min have passed',
    });
  });
});

describe('the guard "undone"', () => {
  it.each([
    { count: 1, seconds: 10 },
    { count: 2, seconds: 20 },
    { count: 3, seconds: 40 },
    { count: 5, seconds: 160 },
    { count: 6, seconds: 300 },
    { count: 5_000, seconds: 300 },
  ])(
    'after $count takeovers of the same death that were undone holds for $seconds s',
    ({ count, seconds }) => {
      const until = 60_000 + seconds * 1_000;
      const given = input({ node: { undone: { count, since: 60_000 } } });
      expect(undone.evaluate({ ...given, now: until - 1 })).toMatchObject({ outcome: 'hold', until });
      expect(undone.evaluate({ ...given, now: until })).toEqual(pass);
    },
  );

  it('has nothing against the first takeover of a death', () => {
    expect(undone.evaluate(input({}))).toEqual(pass);
  });
});

describe('the guard "queue"', () => {
  it.each([
    { running: 15, maxRunning: undefined, outcome: 'pass' },
    { running: 16, maxRunning: undefined, outcome: 'hold' },
    { running: 1, maxRunning: 2, outcome: 'pass' },
    { running: 2, maxRunning: 2, outcome: 'hold' },
    { running: 0, maxRunning: 0, outcome: 'pass' },
    { running: undefined, maxRunning: 1, outcome: 'pass' },
  ])('with $running running and $maxRunning allowed: $outcome', ({ running, maxRunning, outcome }) => {
    const limit = { maxDead: 2, maxDeadPercent: 34, ...(maxRunning !== undefined && { maxRunning }) };
    const fleet = running === undefined ? {} : { running };
    expect(queue.evaluate(input({ fleet, policy: { budget: limit } })).outcome).toBe(outcome);
  });
});

describe('a decision', () => {
  it('is to act when no guard holds', () => {
    const decision = decide(input({}));
    expect(decision.action).toBe('act');
    expect(decision.verdicts.map(({ guard }) => guard)).toEqual(builtInGuards.map(({ name }) => name));
    expect(holdReasons(decision)).toEqual([]);
  });

  it('tells every reason to hold, not only the first', () => {
    const decision = decide(
      input({
        node: {
          labels: { 'node-role.kubernetes.io/control-plane': '', 'liberator.dev/exclude': 'true' },
          annotations: { 'liberator.dev/paused': 'disk swap' },
        },
        assessment: { evidence: 'suspected' },
        fleet: { blind: ['the watch of Nodes is stale'], dead: ['node-2', 'node-3'] },
      }),
    );
    expect(decision.action).toBe('hold');
    expect(holdReasons(decision)).toEqual([
      'blind: the watch of Nodes is stale',
      'paused: the node is paused: disk swap',
      'excluded: it is marked liberator.dev/exclude',
      'control-plane: it is a control-plane node and the policy does not include those',
      'evidence: the evidence is "suspected", the policy asks for "unreachable"',
      'budget: 3 of 10 nodes are dead without proof (node-3, node-2, node-1), at most 2 may be; each counts until it has ' +
        'returned, its death is proven, or 15 min have passed',
    ]);
  });

  it('is to hold when a guard throws, and says so', () => {
    const broken: Guard = {
      name: 'broken',
      evaluate: () => {
        throw new Error('no such table');
      },
    };
    expect(holdReasons(decide(input({}), [broken]))).toEqual([
      'broken: the guard itself failed: no such table',
    ]);
  });

  const nothingToDo = (): void => {};
  it.each([
    { what: 'nothing', answer: undefined, found: 'expected a verdict, found nothing' },
    { what: 'null', answer: null, found: 'expected a verdict, found null' },
    { what: 'a word', answer: 'hold', found: 'expected a verdict, found "hold"' },
    { what: 'a number', answer: 7, found: 'expected a verdict, found 7' },
    { what: 'true', answer: true, found: 'expected a verdict, found true' },
    { what: 'a function', answer: nothingToDo, found: 'expected a verdict, found a function' },
    {
      what: 'a promise',
      answer: Promise.resolve(hold('not now')),
      found: 'expected a verdict, found a promise, and guards must not wait',
    },
    { what: 'a list', answer: [], found: 'expected "pass" or "hold" as outcome, found nothing' },
    {
      what: 'another outcome',
      answer: { outcome: 'maybe' },
      found: 'expected "pass" or "hold" as outcome, found "maybe"',
    },
    {
      what: 'a hold without a reason',
      answer: { outcome: 'hold' },
      found: 'expected a reason to hold, found nothing',
    },
    {
      what: 'a hold with an empty reason',
      answer: { outcome: 'hold', reason: '' },
      found: 'expected a reason to hold, found ""',
    },
    {
      what: 'a hold with a reason that is no text',
      answer: { outcome: 'hold', reason: { why: 'not now' } },
      found: 'expected a reason to hold, found a mapping',
    },
    ...[Number.NaN, Number.POSITIVE_INFINITY, null, 'later'].map((until) => ({
      what: `a hold until ${until}`,
      answer: { outcome: 'hold', reason: 'not now', until },
      found: `expected a monotonic time as until, found ${JSON.stringify(until) === 'null' ? until : '"later"'}; it holds with: not now`,
    })),
  ])('is to hold when a guard answers $what, and says what was found', ({ answer, found }) => {
    const broken: Guard = { name: 'broken', evaluate: () => answer as never };
    const decision = decide(input({}), [broken]);
    expect(decision.action).toBe('hold');
    expect(decision.nextCheckAt).toBeUndefined();
    expect(holdReasons(decision)).toEqual([`broken: the guard itself failed: ${found}`]);
    // As it goes into a record, so it must come back.
    expect(JSON.parse(JSON.stringify(decision.verdicts))).toEqual(decision.verdicts);
  });

  it('is not upset by a promise that fails later', async () => {
    const failing: Guard = { name: 'broken', evaluate: () => Promise.reject(new Error('late')) as never };
    expect(decide(input({}), [failing]).action).toBe('hold');
    // An unhandled rejection would fail the whole run of tests.
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('takes of an answer nothing but its verdict', () => {
    const talkative: Guard = {
      name: 'talkative',
      evaluate: () => ({ ...hold('not now'), toJSON: () => undefined, big: 1n }) as never,
    };
    expect(decide(input({}), [talkative]).verdicts[0]?.verdict).toEqual(hold('not now'));
  });

  it('is to act without any guard at all', () => {
    expect(decide(input({}), [])).toEqual({ action: 'act', verdicts: [], nextCheckAt: undefined });
  });

  const until = (name: string, time: number | undefined): Guard => ({
    name,
    evaluate: () => ({ ...hold(name), ...(time !== undefined && { until: time }) }),
  });

  it.each([
    { what: 'the latest time of all that hold', times: [70_000, 90_000, 80_000], nextCheckAt: 90_000 },
    { what: 'no time when one of them knows none', times: [70_000, undefined], nextCheckAt: undefined },
  ])('asks to look again at $what', ({ times, nextCheckAt }) => {
    const guards = times.map((time, i) => until(`guard-${i}`, time));
    expect(decide(input({}), [...guards, blind]).nextCheckAt).toBe(nextCheckAt);
  });

  it('is to act exactly when every guard passes', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), (passes) => {
        const guards = passes.map(
          (passing, i): Guard => ({
            name: `guard-${i}`,
            evaluate: () => (passing ? pass : hold('no')),
          }),
        );
        const decision = decide(input({}), guards);
        expect(decision.action).toBe(passes.every(Boolean) ? 'act' : 'hold');
        expect(holdReasons(decision)).toHaveLength(passes.filter((passing) => !passing).length);
      }),
    );
  });
});
