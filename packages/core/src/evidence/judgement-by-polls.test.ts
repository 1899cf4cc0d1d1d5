// Poll mode counts as the program did that this project replaces: looks, threshold, resets and all.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation, ProbeResult, ReadyStatus } from './fact.ts';
import { type Assessment, assess, type NodeState, newNodeState, observe } from './judgement.ts';
import { defaultPollDetection, type PollDetection } from './rules.ts';

/** A node that is looked at as time passes. */
class Watched {
  state: NodeState = newNodeState(0);
  now = 0;
  readonly #rules: PollDetection;

  constructor(rules: PollDetection = defaultPollDetection) {
    this.#rules = rules;
  }

  look(): Assessment {
    const { state, assessment } = assess(this.state, this.now, this.#rules);
    this.state = state;
    return assessment;
  }

  pass(ms: number): this {
    this.now += ms;
    return this;
  }

  ready(status: ReadyStatus): this {
    return this.observe({ kind: 'ready', at: this.now, status });
  }

  renew(): this {
    return this.observe({ kind: 'lease', at: this.now, renewTime: `renewed at ${this.now}` });
  }

  probe(result: ProbeResult): this {
    return this.observe({ kind: 'probe', at: this.now, result });
  }

  observe(observation: Observation): this {
    this.state = observe(this.state, observation);
    return this;
  }

  /** Looks every interval, `times` times, and returns the last that was seen. */
  lookTimes(times: number): Assessment {
    let seen = this.look();
    for (let i = 1; i < times; i++) seen = this.pass(this.#rules.intervalMs).look();
    return seen;
  }
}

/**
 * What the original program did with one node in one poll: the count after it, and whether it deleted the node. Its
 * dictionary has an entry or not; a Ready condition that isn't there runs through neither branch.
 */
function originalPoll(
  count: number | undefined,
  status: ReadyStatus,
  threshold: number,
): { count: number | undefined; deleted: boolean } {
  if (status === 'absent') return { count, deleted: false };
  if (status === 'True') return { count: undefined, deleted: false };
  const next = count === undefined ? 0 : count + 1;
  return { count: next, deleted: next > threshold };
}

const statuses = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom<ReadyStatus>('False', 'Unknown') },
    fc.constantFrom<ReadyStatus>('True', 'absent'),
  ),
  { maxLength: 30 },
);

describe('poll mode', () => {
  it('declares a node dead with the fifth look in a row that is not Ready, 20 s after the first', () => {
    const node = new Watched().ready('Unknown');
    const health = [];
    for (let i = 0; i < 6; i++) {
      health.push(node.look().health);
      node.pass(5_000);
    }
    expect(health).toEqual(['suspect', 'suspect', 'suspect', 'suspect', 'dead', 'dead']);
  });

  it('declares dead exactly at the poll at which the original program would have deleted the node', () => {
    fc.assert(
      fc.property(
        statuses,
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 4_999 }),
        (polls, threshold, between) => {
          const node = new Watched({ mode: 'poll', intervalMs: 5_000, threshold });
          let count: number | undefined;
          let dead = false;
          for (const status of polls) {
            const original = originalPoll(count, status, threshold);
            count = original.count;
            // The original forgets the node once it is deleted; here it stays dead until it is Ready.
            dead = count !== undefined && (dead || original.deleted);
            const seen = node.ready(status).look();
            expect(seen.health).toBe(dead ? 'dead' : count === undefined ? 'alive' : 'suspect');
            // Looking more often than the interval says must not count.
            expect(node.pass(between).look().health).toBe(seen.health);
            node.pass(5_000 - between);
          }
        },
      ),
    );
  });

  it('forgets the count at the first look that is Ready', () => {
    const node = new Watched().ready('Unknown');
    node.lookTimes(4);
    expect(node.pass(5_000).ready('True').look()).toMatchObject({
      health: 'alive',
      reasons: [],
      evidence: 'none',
    });
    expect(node.pass(5_000).ready('Unknown').lookTimes(4).health).toBe('suspect');
  });

  it('does not see what happens between two looks', () => {
    const node = new Watched().ready('Unknown');
    node.lookTimes(4);
    node.pass(2_500).ready('True').pass(1).ready('Unknown');
    expect(node.pass(2_499).look().health).toBe('dead');
  });

  it('neither counts nor resets where there is no Ready condition', () => {
    const node = new Watched().ready('Unknown');
    node.lookTimes(4);
    expect(node.pass(5_000).ready('absent').lookTimes(10).health).toBe('suspect');
    expect(node.pass(5_000).ready('False').look().health).toBe('dead');
    expect(new Watched().ready('absent').lookTimes(20).health).toBe('alive');
  });

  it('says when it looks next', () => {
    const node = new Watched().ready('True');
    expect(node.look().nextCheckAt).toBe(5_000);
    expect(node.pass(700).look().nextCheckAt).toBe(5_000);
    expect(node.pass(4_800).look().nextCheckAt).toBe(10_500);
  });

  it('starts counting anew after a time in which we could not see', () => {
    const node = new Watched().ready('Unknown');
    node.lookTimes(9);
    node.observe({ kind: 'sight-regained', at: node.now });
    expect(node.lookTimes(4).health).toBe('suspect');
    expect(node.pass(5_000).look().health).toBe('dead');
  });

  it('takes a human’s word for it at the first look that is not Ready', () => {
    const node = new Watched().ready('Unknown').observe({ kind: 'proof', at: 0, by: 'a human' });
    expect(node.look()).toMatchObject({ health: 'dead', evidence: 'proven' });
    expect(new Watched().ready('True').observe({ kind: 'proof', at: 0, by: 'a human' }).look().health).toBe(
      'alive',
    );
  });
});

describe('in poll mode the host', () => {
  it('is up while its kubelet renews its Lease, whatever Ready says', () => {
    const node = new Watched().renew().ready('False');
    for (let i = 0; i < 60; i++) node.pass(5_000).renew().look();
    expect(node.look()).toMatchObject({ health: 'dead', hostUp: true });
    expect(node.look().reasons).toContain('the host is up: its kubelet still renews its Lease');
  });

  it('says when that will no longer be so, though no look is due then', () => {
    const node = new Watched().ready('False');
    node.look();
    node.pass(1_000).renew();
    node.pass(4_000).look();
    for (let i = 0; i < 6; i++) node.pass(5_000).look();
    expect(node.pass(5_000).look()).toMatchObject({ hostUp: true, nextCheckAt: 41_000 });
    expect(node.pass(1_000).look()).toMatchObject({ hostUp: false });
  });

  it('is not held to be up for ever by renewals that have ended', () => {
    const node = new Watched().renew().ready('False');
    for (let i = 0; i < 60; i++) node.pass(5_000).renew().look();
    node.pass(39_000);
    expect(node.look().hostUp).toBe(true);
    node.pass(1_000);
    expect(node.look()).toMatchObject({ health: 'dead', hostUp: false });
  });

  it('is not up by a renewal from before the first look that was not Ready', () => {
    const node = new Watched().renew().pass(1_000).ready('Unknown');
    expect(node.look()).toMatchObject({ hostUp: false });
  });

  it.each<ProbeResult>(['refused', 'mute', 'answered'])('is up when a probe was %s', (result) => {
    const node = new Watched().ready('Unknown');
    node.lookTimes(9);
    expect(node.probe(result).look()).toMatchObject({ hostUp: true, evidence: 'suspected' });
    expect(node.look().reasons.join()).toContain('the host is up');
  });

  it('counts as silent after three silent probes in a row, as by heartbeats', () => {
    const node = new Watched().ready('Unknown');
    node.lookTimes(9);
    expect(node.probe('silent').probe('silent').look().evidence).toBe('suspected');
    expect(node.probe('silent').look().evidence).toBe('unreachable');
    expect(node.probe('answered').look().evidence).toBe('suspected');
  });
});
