// Whose hosts are asked, how often, and what an answer that comes too late is worth.
import { describe, expect, it } from 'vitest';
import { Fleet } from '../../testing/fleet.ts';
import { anyNode, leaseOf, nodeNamed } from '../../testing/fleet-objects.ts';
import { ManualClock } from '../../testing/manual-clock.ts';
import type { ProbeResult } from '../fact.ts';
import { Prober } from './prober.ts';

class Story {
  readonly clock = new ManualClock({ turns: 1 });
  readonly fleet = new Fleet({ clock: this.clock, policies: [anyNode], onHealthChange: () => {} });
  /** Who was asked, and when, in seconds. */
  readonly asked: string[] = [];
  /** How deep each was asked. */
  readonly depths: (string | undefined)[] = [];
  answer: (name: string) => Promise<ProbeResult> = async () => 'answered';
  signal: AbortSignal | undefined;
  readonly prober = new Prober({
    unwell: () => [...this.fleet.nodes.values()].filter(({ health }) => health !== 'alive'),
    unheard: () => [...this.fleet.nodes.values()].filter(({ hostHeard }) => !hostHeard),
    onAnswer: ({ name, uid, result, hostOnly }) => this.fleet.probed(name, uid, result, hostOnly),
    clock: this.clock,
    intervalMs: 2_000,
    probe: (node, signal, depth) => {
      this.signal = signal;
      this.depths.push(depth?.until);
      this.asked.push(`${node.metadata.name} at ${this.clock.now() / 1000}`);
      return this.answer(node.metadata.name);
    },
  });

  constructor(nodes: number) {
    for (let i = 1; i <= nodes; i++) {
      this.fleet.nodeSeen(nodeNamed(`node-${i}`));
      this.fleet.leaseSeen(leaseOf(`node-${i}`, 'a'));
    }
    this.fleet.assess();
  }

  /** @param renewing all of them, none, or who is named */
  async pass(
    seconds: number,
    renewing: boolean | ReadonlySet<string> = true,
    assessing = true,
  ): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      await this.clock.advance(1_000);
      for (const name of this.fleet.nodes.keys()) {
        const renews = typeof renewing === 'boolean' ? renewing : renewing.has(name);
        if (renews) this.fleet.leaseSeen(leaseOf(name, String(this.clock.now())));
      }
      if (assessing) this.fleet.assess();
    }
  }

  askedSince(index: number): number {
    return this.asked.length - index;
  }
}

describe('a node that is well', () => {
  it('is asked once, so that its silence will mean something', async () => {
    const story = new Story(1);
    story.prober.start();
    await story.pass(600);
    expect(story.asked).toEqual(['node-1 at 2']);
    expect(story.fleet.heard('uid-node-1')).toBe(true);
    await story.prober.stop();
  });

  describe('a great outage', () => {
    it('has no more than 256 hosts asked at once, and leaves none unasked', async () => {
      const story = new Story(600);
      let asking = 0;
      let most = 0;
      story.answer = async () => {
        most = Math.max(most, ++asking);
        await new Promise<void>((resolve) => story.clock.setTimeout(resolve, 3_000));
        asking--;
        return 'silent';
      };
      await story.pass(16, false);
      story.prober.start();
      await story.pass(20, false);
      expect(most).toBe(256);
      expect(new Set(story.asked.map((line) => line.split(' ')[0])).size).toBe(600);
      await Promise.all([story.pass(4, false), story.prober.stop()]);
    });
  });

  it('is asked again every minute until it answers', async () => {
    const story = new Story(1);
    story.answer = async () => 'silent';
    story.prober.start();
    await story.pass(190);
    expect(story.asked).toEqual(['node-1 at 2', 'node-1 at 62', 'node-1 at 122', 'node-1 at 182']);
    expect(story.fleet.nodes.get('node-1')?.state.silentProbes).toBe(0);
    await story.prober.stop();
  });

  it('is heard within a minute in a fleet of 5,000, at a hundred a second and not all at once', async () => {
    const story = new Story(5_000);
    story.prober.start();
    await story.pass(1, false);
    let most = 0;
    for (let second = 1; second < 60; second++) {
      const before = story.asked.length;
      await story.pass(1, false, false);
      most = Math.max(most, story.askedSince(before));
    }
    expect(story.asked).toHaveLength(5_000);
    expect(most).toBeLessThanOrEqual(125);
    expect([...story.fleet.nodes.keys()].filter((name) => !story.fleet.heard(`uid-${name}`))).toEqual([]);
    await story.prober.stop();
  });

  it('is asked for its host alone, since nobody doubts its kubelet', async () => {
    const story = new Story(1);
    story.prober.start();
    await story.pass(3);
    story.answer = async () => 'silent';
    await story.pass(40, false);
    expect(new Set(story.depths.slice(0, 1))).toEqual(new Set(['host']));
    expect(new Set(story.depths.slice(1))).toEqual(new Set(['kubelet']));
    await story.prober.stop();
  });

  it('and answers so only once it is suspect is heard, and nothing is said of its kubelet', async () => {
    const story = new Story(1);
    const late = Promise.withResolvers<ProbeResult>();
    story.answer = () => late.promise;
    story.prober.start();
    await story.pass(3);
    await story.pass(20, false);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('suspect');
    late.resolve('mute');
    // Before the next round asks.
    await story.clock.advance(100);
    story.fleet.assess();
    const known = story.fleet.nodes.get('node-1');
    expect(known?.hostHeard).toBe(true);
    expect(known?.state.lastProbe).toBeUndefined();
    expect(known?.assessment?.reasons.join()).not.toContain('kubelet');
    // What it is asked now goes all the way.
    story.answer = async () => 'mute';
    await story.pass(3, false);
    expect(story.fleet.nodes.get('node-1')?.assessment?.reasons.join()).toContain('kubelet does not speak');
    await story.prober.stop();
  });

  it('whose host never answers is asked again a few at a time: a firewall may hide the whole fleet', async () => {
    const story = new Story(300);
    story.answer = async () => 'silent';
    story.prober.start();
    await story.pass(30);
    expect(story.asked).toHaveLength(300);
    await story.pass(60);
    const again = story.askedSince(300);
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThanOrEqual(15 * 8);
    await story.prober.stop();
  });
});

describe('many that are known to be dead', () => {
  it('take no slot from one that may be dying now', async () => {
    const story = new Story(300);
    story.answer = async () => 'answered';
    story.prober.start();
    await story.pass(10);
    const survivors = new Set(['node-299', 'node-300']);
    // Each silent host takes its slot for three seconds.
    story.answer = async (name) => {
      if (survivors.has(name)) return 'answered';
      await new Promise<void>((resolve) => story.clock.setTimeout(resolve, 3_000));
      return 'silent';
    };
    for (let i = 0; i < 60; i++) await story.pass(1, survivors);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('dead');
    survivors.delete('node-300');
    for (let i = 0; i < 10; i++) await story.pass(1, survivors);
    const before = story.asked.length;
    for (let i = 0; i < 14; i++) await story.pass(1, survivors);
    const asked = story.asked.slice(before).filter((line) => line.startsWith('node-300 '));
    expect(asked.length).toBeGreaterThanOrEqual(3);
    await Promise.all([story.pass(4, survivors), story.prober.stop()]);
  });
});

describe('a node that is suspect or dead', () => {
  it('is asked every two seconds for as long as it is', async () => {
    const story = new Story(1);
    story.prober.start();
    await story.pass(14);
    const before = story.asked.length;
    story.answer = async () => 'silent';
    await story.pass(62, false);
    expect(story.askedSince(before)).toBeGreaterThanOrEqual(22);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('dead');
    await story.pass(4);
    const after = story.asked.length;
    await story.pass(60);
    expect(story.askedSince(after)).toBe(0);
    await story.prober.stop();
  });

  it('is not asked a second time before it has answered the first', async () => {
    const story = new Story(1);
    story.prober.start();
    await story.pass(3);
    const before = story.asked.length;
    const slow = Promise.withResolvers<ProbeResult>();
    story.answer = () => slow.promise;
    await story.pass(60, false);
    expect(story.askedSince(before)).toBe(1);
    slow.resolve('silent');
    await story.pass(3, false);
    expect(story.askedSince(before)).toBeGreaterThan(1);
    await story.prober.stop();
  });

  it('is none the worse for a probe that throws', async () => {
    const story = new Story(1);
    story.answer = () => {
      throw new Error('no sockets left');
    };
    story.prober.start();
    await story.pass(60, false);
    expect(story.fleet.nodes.get('node-1')?.state).toMatchObject({ silentProbes: 0, lastProbe: undefined });
    story.answer = () => Promise.reject(new Error('no sockets left'));
    await story.pass(10, false);
    expect(story.fleet.nodes.get('node-1')?.health).toBe('suspect');
    await story.prober.stop();
  });

  it('that no policy selects is not asked', async () => {
    const story = new Story(0);
    const fleet = new Fleet({ clock: story.clock, policies: [], onHealthChange: () => {} });
    fleet.nodeSeen(nodeNamed('node-1', { ready: 'Unknown' }));
    fleet.assess();
    let asked = 0;
    const prober = new Prober({
      unwell: () => fleet.nodes.values(),
      unheard: () => fleet.nodes.values(),
      onAnswer: () => {},
      clock: story.clock,
      intervalMs: 2_000,
      probe: async () => {
        asked++;
        return 'silent';
      },
    });
    prober.start();
    await story.clock.advance(60_000);
    expect(asked).toBe(0);
    await prober.stop();
  });
});

describe('stopping', () => {
  it('ends what is under way, waits for it, and asks nobody again', async () => {
    const story = new Story(1);
    const slow = Promise.withResolvers<ProbeResult>();
    story.answer = () => slow.promise;
    story.prober.start();
    await story.pass(3);
    let stopped = false;
    const stopping = story.prober.stop().then(() => {
      stopped = true;
    });
    await story.clock.advance(10_000);
    expect(story.signal?.aborted).toBe(true);
    expect(stopped).toBe(false);
    slow.resolve('answered');
    await stopping;
    expect(story.fleet.heard('uid-node-1')).toBe(false);
    await story.clock.advance(60_000);
    expect(story.asked).toHaveLength(1);
    expect(story.clock.pendingTimers).toBe(0);
  });
});
