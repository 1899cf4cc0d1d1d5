// A server that has too much to do is left alone by everybody, and comes back to work by degrees.
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { answer, statusBody } from '../testing/scripted-server.ts';
import { connectTo, failureOf, serve } from '../testing/wire.ts';
import { KubernetesClient } from './client.ts';
import { KubernetesError } from './errors.ts';
import { nodes, pods } from './resources.ts';
import { ServerPatience, type Turn } from './server-patience.ts';

const call = { verb: 'get', resource: nodes, name: 'a' } as const;

class Crowd {
  readonly clock = new ManualClock();
  readonly patience: ServerPatience;
  readonly #turns = new Map<string, Turn>();
  /** Who was let in, in order. */
  admitted = '';

  constructor(random = 0) {
    this.patience = new ServerPatience(this.clock, { next: () => random });
  }

  async come(names: string, isRead = true): Promise<void> {
    for (const name of names) {
      void this.patience.enter(isRead, new AbortController().signal).then((turn) => {
        this.admitted += name;
        this.#turns.set(name, turn);
      });
    }
    await this.clock.settle();
  }

  async isServed(names: string): Promise<void> {
    for (const name of names) this.#end(name, undefined);
    await this.clock.settle();
  }

  async isTurnedAway(
    names: string,
    status: number,
    retryAfterMs?: number,
    subresource?: string,
  ): Promise<void> {
    for (const name of names) {
      this.#end(name, new KubernetesError({ ...call, subresource }, { status, retryAfterMs }));
    }
    await this.clock.settle();
  }

  #end(name: string, error: KubernetesError | undefined): void {
    this.#turns.get(name)?.answered(error);
    this.#turns.get(name)?.leave();
  }
}

describe('a server that has too much to do', () => {
  test('is left alone for as long as it asks, and then asked by one, by two, by four', async () => {
    const crowd = new Crowd();
    await crowd.come('a');
    await crowd.isTurnedAway('a', 429, 3_000);
    await crowd.come('bcdefghijk');
    await crowd.clock.advance(2_999);
    expect(crowd.admitted).toBe('a');
    await crowd.clock.advance(1);
    expect(crowd.admitted).toBe('ab');
    await crowd.isServed('b');
    expect(crowd.admitted).toBe('abcd');
    await crowd.isServed('cd');
    expect(crowd.admitted).toBe('abcdefgh');
  });

  test.each([429, 503])('says so with %i and a Retry-After', async (status) => {
    const crowd = new Crowd();
    await crowd.come('a');
    await crowd.isTurnedAway('a', status, 2_000);
    await crowd.come('b');
    expect(crowd.admitted).toBe('a');
    await crowd.clock.advance(2_000);
    expect(crowd.admitted).toBe('ab');
  });

  test("is no such server when it answers 503 without one: that is one request's own trouble", async () => {
    const crowd = new Crowd();
    await crowd.come('a');
    await crowd.isTurnedAway('a', 503);
    await crowd.come('b');
    expect(crowd.admitted).toBe('ab');
  });

  test('is asked after a jittered time, never sooner than it wants', async () => {
    const crowd = new Crowd(0.8);
    await crowd.come('a');
    await crowd.isTurnedAway('a', 429, 10_000);
    await crowd.come('b');
    await crowd.clock.advance(11_999);
    expect(crowd.admitted).toBe('a');
    await crowd.clock.advance(1);
    expect(crowd.admitted).toBe('ab');
  });

  test('is asked again after a minute whatever it wants', async () => {
    const crowd = new Crowd();
    await crowd.come('a');
    await crowd.isTurnedAway('a', 429, 3_600_000);
    await crowd.come('b');
    await crowd.clock.advance(60_000);
    expect(crowd.admitted).toBe('ab');
  });

  test.each([undefined, 0])(
    'that names no time (%s) is asked ever more seldom, until it serves one',
    async (named) => {
      const crowd = new Crowd();
      const waits: number[] = [];
      await crowd.come('a');
      for (const [before, next] of [
        ['a', 'b'],
        ['b', 'c'],
        ['c', 'd'],
        ['d', 'e'],
      ] as const) {
        await crowd.isTurnedAway(before, 429, named);
        await crowd.come(next);
        const since = crowd.clock.now();
        while (!crowd.admitted.endsWith(next)) await crowd.clock.advance(50);
        waits.push(crowd.clock.now() - since);
      }
      expect(waits).toEqual([250, 500, 1_000, 2_000]);
      await crowd.isServed('e');
      await crowd.come('f');
      await crowd.isTurnedAway('f', 429, named);
      await crowd.come('g');
      await crowd.clock.advance(250);
      expect(crowd.admitted).toBe('abcdefg');
    },
  );

  test('that turns away thirty at once is left alone as after one', async () => {
    const crowd = new Crowd();
    const names = 'abcdefghijklmnopqrstuvwxyzABCD';
    await crowd.come(names);
    await crowd.isTurnedAway(names, 429);
    await crowd.come('EF');
    await crowd.clock.advance(250);
    expect(crowd.admitted).toBe(`${names}E`);
  });

  test('that still serves what was under way has not ended its pause with that', async () => {
    const crowd = new Crowd();
    await crowd.come('ab');
    await crowd.isTurnedAway('a', 429, 5_000);
    await crowd.isServed('b');
    await crowd.come('cd');
    await crowd.clock.advance(5_000);
    expect(crowd.admitted).toBe('abc');
  });

  test('to read from may have time for writes', async () => {
    const crowd = new Crowd();
    await crowd.come('a', true);
    await crowd.isTurnedAway('a', 429, 10_000);
    await crowd.come('bc', true);
    await crowd.come('de', false);
    expect(crowd.admitted).toBe('ade');
  });

  test('is not what a refused eviction means', async () => {
    const crowd = new Crowd();
    await crowd.come('a', false);
    await crowd.isTurnedAway('a', 429, 10_000, 'eviction');
    await crowd.come('b', false);
    expect(crowd.admitted).toBe('ab');
  });
});

describe('clients of one transport', () => {
  test('are held back by the first refusal, those that wait for a connection as well', async () => {
    const clock = new ManualClock();
    const server = await serve((_request, response) =>
      answer(response, 429, statusBody(429, 'TooManyRequests'), { 'retry-after': '7' }),
    );
    const transport = connectTo(server.kubeConfig(), { maxConnections: 4 });
    const client = new KubernetesClient({ transport, clock, random: { next: () => 0 } });
    const all = Array.from({ length: 100 }, (_, i) =>
      failureOf(client.get(nodes, { name: `node-${i}` }, { attempts: 1, timeoutMs: 6_000 })),
    );
    await Promise.all(all.slice(0, 4));
    await clock.advance(6_000);
    await Promise.all(all);
    expect(server.requests).toHaveLength(4);
  });

  test('are slowed together, reads by reads, and a watch by none of it', async () => {
    const clock = new ManualClock();
    let busy = true;
    const server = await serve((request, response) => {
      if (busy) answer(response, 429, statusBody(429, 'TooManyRequests'), { 'retry-after': '7' });
      else if (request.query.has('watch')) response.end();
      else answer(response, 200, {});
    });
    const transport = connectTo(server.kubeConfig());
    const random = { next: () => 0 };
    const [one, two] = [1, 2].map(() => new KubernetesClient({ transport, clock, random }));
    await failureOf(one?.get(nodes, { name: 'a' }, { attempts: 1 }) ?? Promise.resolve());
    busy = false;
    const reads = Promise.all(
      Array.from({ length: 20 }, (_, i) => two?.get(nodes, { name: `node-${i}` }, { attempts: 1 })),
    );
    const patch = { verb: 'patch', resource: pods, namespace: 'shop', name: 'web-0', body: {} } as const;
    await two?.request(patch);
    for await (const _ of two?.watch(nodes, { resourceVersion: '1', timeoutSeconds: 60 }) ?? []);
    await clock.advance(6_900);
    expect(server.requests).toHaveLength(3);
    await clock.advance(100);
    await reads;
    expect(server.requests).toHaveLength(23);
    expect(clock.pendingTimers).toBe(0);
  });

  test('wait within the time that their caller allows, and were then never sent', async () => {
    const clock = new ManualClock();
    const server = await serve((_, response) =>
      answer(response, 429, statusBody(429, 'TooManyRequests'), { 'retry-after': '40' }),
    );
    const client = new KubernetesClient({ transport: connectTo(server.kubeConfig()), clock });
    const write = { verb: 'delete', resource: nodes, name: 'node-1', timeoutMs: 10_000 } as const;
    await failureOf(client.request(write));
    const waiting = failureOf(client.request(write));
    await clock.advance(10_000);
    expect(await waiting).toMatchObject({ code: 'LIBERATOR_TIMEOUT', phase: 'total', sent: false });
    expect(server.requests).toHaveLength(1);
  });
});
