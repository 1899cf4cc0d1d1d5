// What a node's health is, for every kind of evidence, by heartbeats.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation, ProbeResult, ReadyStatus } from './fact.ts';
import { type Assessment, assess, type NodeState, newNodeState, observe } from './judgement.ts';
import { defaultHeartbeatDetection, type HeartbeatDetection } from './rules.ts';

const rules = defaultHeartbeatDetection;

/** Without `at`, which {@link after} puts in. */
type Fact = Observation extends infer One ? (One extends Observation ? Omit<One, 'at'> : never) : never;

/** The state of a node first seen at 0 after `facts`, each at its time in seconds. */
function after(...facts: readonly (readonly [seconds: number, fact: Fact])[]): NodeState {
  return facts.reduce(
    (state, [seconds, fact]) => observe(state, { ...fact, at: seconds * 1000 } as Observation),
    newNodeState(0),
  );
}

function look(state: NodeState, seconds: number, detection: HeartbeatDetection = rules): Assessment {
  return assess(state, seconds * 1000, detection).assessment;
}

const lease = (renewTime: string | undefined): Fact => ({ kind: 'lease', renewTime });
const ready = (status: ReadyStatus): Fact => ({ kind: 'ready', status });
const probe = (result: ProbeResult): Fact => ({ kind: 'probe', result });
const silentHost = (from: number): readonly (readonly [number, Fact])[] => [
  [from, probe('silent')],
  [from + 2, probe('silent')],
  [from + 4, probe('silent')],
];

describe('a node that renews its Lease', () => {
  it('is alive, with nothing against it', () => {
    const seen = look(after([0, ready('True')], [0, lease('a')], [10, lease('b')]), 12);
    expect(seen).toMatchObject({ health: 'alive', evidence: 'none', reasons: [], silentSince: undefined });
  });

  it.each<ReadyStatus>(['False', 'Unknown'])(
    'is suspect, never dead, while its Ready condition says %s',
    (status) => {
      let state = after([0, ready(status)]);
      for (let second = 0; second <= 600; second += 10) {
        state = observe(state, { kind: 'lease', at: second * 1000, renewTime: String(second) });
        expect(look(state, second + 9)).toMatchObject({ health: 'suspect', evidence: 'suspected' });
      }
    },
  );

  it('is alive without any conditions: a node may have none yet', () => {
    expect(look(after([0, ready('absent')], [0, lease('a')]), 5).health).toBe('alive');
  });

  it('is not dead although somebody vouches for it', () => {
    const state = after([0, ready('Unknown')], [0, lease('a')], [1, { kind: 'proof', by: 'a human' }]);
    expect(look(state, 10).health).toBe('suspect');
  });

  it('counts as heard whatever the renewal says, even a time long past', () => {
    const state = after([0, lease('2030-01-01')], [14, lease('1970-01-01')]);
    expect(look(state, 28).health).toBe('alive');
  });
});

describe('a node whose Lease falls silent', () => {
  it.each([
    { silentFor: 14.999, health: 'alive' },
    { silentFor: 15, health: 'suspect' },
    { silentFor: 3600, health: 'suspect' },
  ])(
    'is $health after $silentFor s when nobody asked its host and it still counts as Ready',
    ({ silentFor, health }) => {
      expect(look(after([0, ready('True')], [0, lease('a')]), silentFor).health).toBe(health);
    },
  );

  it.each([
    { silentFor: 24.999, health: 'suspect' },
    { silentFor: 25, health: 'dead' },
  ])('is $health after $silentFor s when its host is silent too', ({ silentFor, health }) => {
    const seen = look(after([0, lease('a')], ...silentHost(15)), silentFor);
    expect(seen).toMatchObject({ health, evidence: 'unreachable', silentSince: 0 });
  });

  it('needs three silent probes in a row', () => {
    expect(look(after([0, lease('a')], [15, probe('silent')], [17, probe('silent')]), 30)).toMatchObject({
      health: 'suspect',
      evidence: 'suspected',
    });
  });

  it.each([
    { silentFor: 59.999, health: 'suspect' },
    { silentFor: 60, health: 'dead' },
  ])('is $health after $silentFor s without probes when Kubernetes says Unknown', ({ silentFor, health }) => {
    const seen = look(after([0, lease('a')], [45, ready('Unknown')]), silentFor);
    expect(seen).toMatchObject({ health, evidence: 'suspected' });
  });

  it('is not dead without probes while Kubernetes calls it Ready, however long', () => {
    expect(look(after([0, ready('True')], [0, lease('a')]), 86_400).health).toBe('suspect');
  });

  it.each<ProbeResult>(['refused', 'mute', 'answered'])(
    'is not dead when its host is heard (%s): a dead kubelet is not a dead node',
    (result) => {
      const seen = look(after([0, ready('Unknown')], [0, lease('a')], [20, probe(result)]), 3600);
      expect(seen).toMatchObject({ health: 'suspect', evidence: 'suspected', hostUp: true });
      expect(seen.reasons.join()).toContain('the host is up');
    },
  );

  it('is dead in spite of a refusing host once somebody vouches for it', () => {
    const state = after([0, lease('a')], [16, probe('refused')], [17, { kind: 'proof', by: 'a human' }]);
    expect(look(state, 17)).toMatchObject({ health: 'dead', evidence: 'proven' });
    expect(look(state, 17).reasons).toContain('vouched for by a human');
  });

  it('is suspect again when the proof is withdrawn', () => {
    const state = after(
      [0, lease('a')],
      [16, { kind: 'proof', by: 'a human' }],
      [17, { kind: 'proof-withdrawn' }],
    );
    expect(look(state, 18)).toMatchObject({ health: 'suspect', evidence: 'suspected' });
  });

  it('loses nothing by probes that failed on our side', () => {
    const state = after([0, lease('a')], ...silentHost(15), [21, probe('failed')]);
    expect(look(state, 25).health).toBe('dead');
  });

  it('starts from nothing when its host is heard between silent probes', () => {
    const state = after([0, lease('a')], ...silentHost(15), [21, probe('answered')], [23, probe('silent')]);
    expect(look(state, 40)).toMatchObject({ health: 'suspect', hostUp: false });
  });

  it('is alive at the first renewal, and what was held against it is forgotten', () => {
    const state = after([0, lease('a')], ...silentHost(15), [30, lease('b')]);
    expect(look(state, 30)).toMatchObject({ health: 'alive', evidence: 'none', hostUp: false });
    expect(look(state, 56)).toMatchObject({ health: 'suspect', evidence: 'suspected' });
  });

  it('stays silent when its Lease is deleted or seen again unchanged', () => {
    const state = after([0, lease('a')], ...silentHost(15), [22, lease(undefined)], [23, lease('a')]);
    expect(look(state, 25).health).toBe('dead');
  });
});

describe('a node without a Lease, as every node is for some ten seconds after it has registered', () => {
  it.each<ReadyStatus>(['True', 'False', 'absent'])(
    'is never dead while its Ready condition says %s: nothing shows that it fell silent',
    (status) => {
      const state = after([0, ready(status)], ...silentHost(5), [60, { kind: 'proof', by: 'a human' }]);
      expect(look(state, 86_400).health).not.toBe('dead');
    },
  );

  it.each([
    { silentFor: 14.999, health: 'suspect', silentSince: undefined },
    { silentFor: 24.999, health: 'suspect', silentSince: 7_000 },
    { silentFor: 25, health: 'dead', silentSince: 7_000 },
  ])('is $health $silentFor s after Kubernetes called it Unknown, its host silent', (expected) => {
    const { silentFor, health, silentSince } = expected;
    const state = after([0, ready('True')], [7, ready('Unknown')], ...silentHost(8), [20, ready('Unknown')]);
    expect(look(state, 7 + silentFor)).toMatchObject({ health, silentSince });
  });

  it('gets a whole grace period when it was Unknown at first sight', () => {
    const state = after([30, ready('Unknown')], ...silentHost(31));
    expect(look(state, 54.999).health).toBe('suspect');
    expect(look(state, 55).reasons).toEqual([
      'no Lease yet, and nothing heard for 25s',
      'Ready is Unknown',
      'host silent to 3 probes',
    ]);
  });

  it('is dead by the word of a human once it is silent', () => {
    const state = after([0, ready('Unknown')], [5, { kind: 'proof', by: 'a human' }]);
    expect(look(state, 14.999).health).toBe('suspect');
    expect(look(state, 15)).toMatchObject({ health: 'dead', evidence: 'proven' });
  });

  it('is alive at its first Lease, and silent from there', () => {
    const state = after([0, ready('Unknown')], ...silentHost(5), [20, ready('True')], [20, lease('a')]);
    expect(look(state, 34.999).health).toBe('alive');
    expect(look(state, 35).health).toBe('suspect');
  });
});

describe('after a time in which we could not see', () => {
  it('every node gets a whole new grace period', () => {
    const state = after([0, ready('Unknown')], [0, lease('a')], ...silentHost(15), [
      100,
      { kind: 'sight-regained' },
    ]);
    expect(look(state, 114.999)).toMatchObject({ health: 'suspect', evidence: 'suspected', hostUp: false });
    expect(look(state, 159.999).health).toBe('suspect');
    expect(look(state, 160).health).toBe('dead');
  });

  it('the time for which it was Ready counts anew as well', () => {
    const before = after([0, ready('True')]);
    expect(before.readySince).toBe(0);
    expect(observe(before, { kind: 'sight-regained', at: 5_000 }).readySince).toBe(5_000);
    expect(observe(after([0, ready('False')]), { kind: 'sight-regained', at: 5_000 }).readySince).toBe(
      undefined,
    );
  });
});

describe('the time for which a node has been Ready', () => {
  it('goes on while the condition is repeated and ends with the first that says otherwise', () => {
    expect(after([1, ready('True')], [9, ready('True')]).readySince).toBe(1_000);
    expect(after([1, ready('True')], [9, ready('absent')]).readySince).toBeUndefined();
    expect(after([1, ready('True')], [9, ready('Unknown')], [12, ready('True')]).readySince).toBe(12_000);
  });
});

const facts: fc.Arbitrary<Fact> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('a', 'b', 'c', undefined).map(lease) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<ProbeResult>('answered', 'mute', 'refused', 'silent', 'failed').map(probe),
  },
  { weight: 2, arbitrary: fc.constant(probe('silent')) },
  { weight: 2, arbitrary: fc.constantFrom<ReadyStatus>('True', 'False', 'Unknown', 'absent').map(ready) },
  fc.constant<Fact>({ kind: 'proof', by: 'a human' }),
  fc.constant<Fact>({ kind: 'proof-withdrawn' }),
  fc.constant<Fact>({ kind: 'sight-regained' }),
);

/** Facts in the order of their times, with the pauses between them in seconds. */
const histories = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 20 }), facts), { maxLength: 25 })
  .map((steps) => {
    let seconds = 0;
    return steps.map(([pause, fact]) => {
      seconds += pause;
      return [seconds, fact] as const;
    });
  });

const laterBy = fc.integer({ min: 0, max: 120 });

describe('for any history', () => {
  it('death has one of three grounds, each of them whole', () => {
    fc.assert(
      fc.property(histories, laterBy, (history, pause) => {
        const now = (history.at(-1)?.[0] ?? 0) + pause;
        if (look(after(...history), now).health !== 'dead') return;

        // Told anew from the history itself, without the machine.
        let renewTime: string | undefined;
        let heardAt = 0;
        let sinceThen: ProbeResult[] = [];
        let status: ReadyStatus = 'absent';
        let proof = false;
        let unknownAt: number | undefined;
        for (const [seconds, fact] of history) {
          const renewed =
            fact.kind === 'lease' && fact.renewTime !== undefined && fact.renewTime !== renewTime;
          if (renewed) renewTime = fact.renewTime;
          if (renewed || fact.kind === 'sight-regained') [heardAt, sinceThen] = [seconds, []];
          if (fact.kind === 'probe' && fact.result !== 'failed') sinceThen.push(fact.result);
          if (fact.kind === 'ready') status = fact.status;
          if (status !== 'Unknown') unknownAt = undefined;
          else if (fact.kind === 'sight-regained') unknownAt = seconds;
          else unknownAt ??= seconds;
          if (fact.kind === 'proof') proof = true;
          if (fact.kind === 'proof-withdrawn') proof = false;
        }
        const silentFor = now - (renewTime === undefined ? (unknownAt ?? now) : heardAt);
        expect(silentFor).toBeGreaterThanOrEqual(15);
        const lastThree = sinceThen.slice(-3);
        const hostSilent = lastThree.length === 3 && lastThree.every((result) => result === 'silent');
        const hostHeard = !['silent', undefined].includes(sinceThen.at(-1));
        const notReady = status === 'False' || status === 'Unknown';
        expect(proof || (hostSilent && silentFor >= 25) || (notReady && !hostHeard && silentFor >= 60)).toBe(
          true,
        );
      }),
    );
  });

  it('time alone changes nothing before the next check that was asked for', () => {
    fc.assert(
      fc.property(histories, laterBy, fc.integer({ min: 0, max: 999 }), (history, pause, thousandths) => {
        const state = after(...history);
        const now = ((history.at(-1)?.[0] ?? 0) + pause) * 1000;
        const { assessment } = assess(state, now, rules);
        const until = assessment.nextCheckAt ?? now + 1_000_000;
        expect(until).toBeGreaterThan(now);
        const later = assess(state, now + ((until - now) * thousandths) / 1000, rules).assessment;
        expect([later.health, later.evidence]).toEqual([assessment.health, assessment.evidence]);
      }),
    );
  });

  it('a node that isn’t alive always has a reason, and one that is alive has none', () => {
    fc.assert(
      fc.property(histories, laterBy, (history, pause) => {
        const { health, reasons, evidence } = look(after(...history), (history.at(-1)?.[0] ?? 0) + pause);
        expect(reasons.length === 0).toBe(health === 'alive');
        expect(evidence === 'none').toBe(health === 'alive');
      }),
    );
  });
});
