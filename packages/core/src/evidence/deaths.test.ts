// Who died stays known for as long as a budget may ask, by our own clock.
import { describe, expect, it } from 'vitest';
import { Fleet } from '../testing/fleet.ts';
import { anyNode, leaseOf, nodeNamed } from '../testing/fleet-objects.ts';
import { ManualClock } from '../testing/manual-clock.ts';
import { type Deaths, forgetOld, noDeaths, type SeenDeath, sawDead, sawGo, sawNode } from './deaths.ts';

/** Deaths as they are seen one after another. */
class DeathMemory {
  #deaths: Deaths = noDeaths;
  readonly #keepMs: number;

  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  of(node: string): SeenDeath | undefined {
    return this.#deaths.get(node);
  }

  sawDead(...[death, now]: [Parameters<typeof sawDead>[1], number]): void {
    this.#deaths = sawDead(this.#deaths, death, now);
  }

  sawGo(...[node, now]: [Parameters<typeof sawGo>[1], number]): void {
    this.#deaths = sawGo(this.#deaths, node, now);
  }

  sawNode(...[node, sign]: [string, Parameters<typeof sawNode>[2]]): void {
    this.#deaths = sawNode(this.#deaths, node, sign);
  }

  forgetOld(now: number): void {
    this.#deaths = forgetOld(this.#deaths, this.#keepMs, now);
  }
}

const death = { node: 'n', deathId: 'd', lastHeartbeat: 'r1', proven: false };

describe('a death that was seen', () => {
  it('counts from when it was seen first, however often it is seen', () => {
    const memory = new DeathMemory(1_000);
    memory.sawDead(death, 10);
    memory.sawDead(death, 20);
    expect(memory.of('n')).toMatchObject({ since: 10, judged: true, gone: false });
  });

  it('outlasts its Node, and the Node that registers anew without a sign of life', () => {
    const memory = new DeathMemory(1_000);
    memory.sawDead(death, 10);
    memory.sawGo(death, 500);
    expect(memory.of('n')).toMatchObject({ since: 10, judged: true, gone: true });
    memory.sawNode('n', { renewTime: 'r1', ready: true });
    expect(memory.of('n')).toMatchObject({ since: 10, judged: true, gone: false });
  });

  it.each([
    { what: 'the Lease is renewed', lastHeartbeat: 'r1', sign: { renewTime: 'r2', ready: false } },
    { what: 'a first Lease comes', lastHeartbeat: '', sign: { renewTime: 'r1', ready: false } },
    {
      what: 'a node without a Lease is Ready',
      lastHeartbeat: '',
      sign: { renewTime: undefined, ready: true },
    },
  ])('is over when $what', ({ lastHeartbeat, sign }) => {
    const memory = new DeathMemory(1_000);
    memory.sawDead({ ...death, lastHeartbeat }, 10);
    memory.sawNode('n', sign);
    expect(memory.of('n')).toBeUndefined();
  });

  it('is proven from when somebody vouches for it, and counts from the same time', () => {
    const memory = new DeathMemory(1_000);
    memory.sawDead(death, 10);
    memory.sawDead({ ...death, proven: true }, 20);
    expect(memory.of('n')).toMatchObject({ since: 10, proven: true });
  });

  it('is another one after a life', () => {
    const memory = new DeathMemory(1_000);
    memory.sawDead(death, 10);
    memory.sawDead({ ...death, deathId: 'next' }, 20);
    expect(memory.of('n')).toMatchObject({ deathId: 'next', since: 20 });
  });

  it('is forgotten when the time is over, but not while its Node is there: it would seem to have died just now', () => {
    const memory = new DeathMemory(1_000);
    memory.sawDead(death, 10);
    memory.forgetOld(5_000);
    expect(memory.of('n')).toBeDefined();
    memory.sawGo(death, 5_000);
    memory.forgetOld(5_000);
    expect(memory.of('n')).toBeUndefined();
  });

  it('is none when only the Node of a live node was deleted', () => {
    const memory = new DeathMemory(1_000);
    memory.sawGo(death, 10);
    expect(memory.of('n')).toMatchObject({ judged: false, since: 10 });
  });
});

describe('a fleet', () => {
  it('does not remember as dead whose host is up, since a dead kubelet is not a dead node', async () => {
    const clock = new ManualClock({ turns: 1 });
    const detection = { mode: 'poll', intervalMs: 5_000, threshold: 1 } as const;
    const fleet = new Fleet({ clock, policies: [{ ...anyNode, detection }], onHealthChange: () => {} });
    fleet.nodeSeen(nodeNamed('node-1', { ready: 'False' }));
    for (let i = 0; i < 10; i++) {
      fleet.leaseSeen(leaseOf('node-1', `r${i}`));
      await clock.advance(5_000);
      fleet.assess();
    }
    expect(fleet.nodes.get('node-1')?.health).toBe('dead');
    expect(fleet.deaths.of('node-1')).toBeUndefined();
  });
});
