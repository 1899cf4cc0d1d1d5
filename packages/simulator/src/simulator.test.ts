// The story that this project is about, on stock timings, and the promises of the front door.
import { describe, expect, test } from 'vitest';
import { outOfServiceTaint } from './controllers/taints.ts';
import { timingsWith } from './controllers/timings.ts';
import { Simulator } from './simulator.ts';
import { resources, servedResources } from './store/resources.ts';
import { startTrial } from './testing/trial-cluster.ts';
import { seededRandom } from './time/seeded-random.ts';
import { VirtualClock } from './time/virtual-clock.ts';

describe.each(Array.from({ length: 8 }, (_, seed) => seed))(
  'with stock timings, as measured on a real control plane (seed %i)',
  (seed) => {
    test('a crashed node is noticed after 40 to 56 seconds, its pod leaves 300 seconds later, and stays stuck until it is out of service', async () => {
      await using cluster = await startTrial({ seed });
      await cluster.createSet('web');
      const nodeName = cluster.nodeOf('web-1');
      const uid = cluster.pod('web-1')?.metadata.uid;
      await cluster.clock.advance(seed * 1_300);
      const crashedAt = cluster.clock.now();
      const since = (): number => cluster.clock.now() - crashedAt;
      cluster.simulator.machine(nodeName).crash();

      await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
      const unknownMs = since();
      expect(unknownMs).toBeGreaterThan(39_000);
      expect(unknownMs).toBeLessThan(56_000);

      await cluster.until(() => cluster.terminating('web-1'));
      expect(since() - unknownMs).toBeGreaterThan(299_000);
      expect(since() - unknownMs).toBeLessThan(306_000);

      await cluster.clock.advance(3 * 3_600_000);
      expect(cluster.pod('web-1')?.metadata.uid).toBe(uid);

      cluster.taint(nodeName, outOfServiceTaint, 'NoExecute');
      expect(await cluster.until(() => cluster.podReady('web-1'))).toBeLessThan(22_000);
      expect(cluster.nodeOf('web-1')).not.toBe(nodeName);
    });

    test('deleting the Node alone brings the replacement after 41 to 66 seconds, or a period later', async () => {
      await using cluster = await startTrial({ seed });
      await cluster.createSet('web');
      const nodeName = cluster.nodeOf('web-1');
      cluster.simulator.machine(nodeName).crash();
      await cluster.until(() => cluster.ready(nodeName) === 'Unknown');
      await cluster.clock.advance(seed * 2_700);
      cluster.client.delete('nodes', cluster.node(nodeName));
      const replacedMs = await cluster.until(
        () => cluster.podReady('web-1') && cluster.nodeOf('web-1') !== nodeName,
      );
      expect(replacedMs).toBeGreaterThan(41_000);
      expect(replacedMs).toBeLessThan(86_000);
    });
  },
);

describe('a run', () => {
  /** Everything that happens in a cluster of some trouble, as text. */
  async function record(seed: number): Promise<string> {
    await using cluster = await startTrial({ seed, nodes: 4 });
    const lines: string[] = [];
    for (const type of servedResources) {
      cluster.store.watch(type, ({ type: kind, object }) => lines.push(`${kind} ${JSON.stringify(object)}`));
    }
    await cluster.createSet('web', { volumes: true });
    const victim = cluster.nodeOf('web-1');
    cluster.simulator.machine(victim).crash();
    cluster.simulator.machine(cluster.nodeOf('web-2')).pause();
    await cluster.clock.advance(420_000);
    cluster.client.delete('nodes', cluster.node(victim));
    for (const machine of cluster.simulator.nodes) {
      machine.resume();
      machine.powerOn();
    }
    await cluster.clock.advance(900_000);
    return lines.join('\n');
  }

  test('is the same to the byte with the same seed', async () => {
    const first = await record(5);
    expect(first.length).toBeGreaterThan(100_000);
    expect(await record(5)).toBe(first);
  });

  test('is another one with another seed', async () => {
    expect(await record(6)).not.toBe(await record(5));
  });
});

test('a quiet day passes without anything but heartbeats', async () => {
  await using cluster = await startTrial();
  await cluster.createSet('web', { volumes: true });
  await cluster.clock.advance(60_000);
  const pods = cluster.client.list('pods');
  const before = cluster.simulator.audit().length;
  await cluster.clock.advance(24 * 3_600_000);
  expect(cluster.client.list('pods')).toEqual(pods);
  const writes = cluster.simulator.audit().slice(before);
  expect(new Set(writes.map(({ resource, user }) => `${resource} by ${user.replace(/\d$/, 'N')}`))).toEqual(
    new Set(['leases by system:node:node-N', 'nodes by system:node:node-N', 'events by system:apiserver']),
  );
});

describe('the front door', () => {
  test('serves in memory under the caller’s own name, and keeps a record', async () => {
    await using cluster = await startTrial({ nodes: 1 });
    const transport = cluster.simulator.transport({ user: 'operator', userAgent: 'test/1' });
    const answer = await transport.send({
      method: 'DELETE',
      path: '/api/v1/nodes/node-1',
      body: JSON.stringify({ preconditions: { uid: 'wrong' } }),
      signal: new AbortController().signal,
    });
    expect(answer.status).toBe(409);
    const mine = cluster.simulator.audit().filter(({ user }) => user === 'operator');
    expect(mine).toEqual([
      {
        time: cluster.clock.wallTime(),
        user: 'operator',
        userAgent: 'test/1',
        verb: 'delete',
        group: '',
        resource: 'nodes',
        name: 'node-1',
        code: 409,
        requestUid: 'wrong',
      },
    ]);
  });

  test('tells whose writes are whose', async () => {
    await using cluster = await startTrial({ nodes: 1 });
    await cluster.createSet('web', { replicas: 1 });
    const writers = new Set(cluster.simulator.audit().map(({ user }) => user));
    for (const writer of ['node-controller', 'statefulset-controller'].map(
      (name) => `system:serviceaccount:kube-system:${name}`,
    )) {
      expect(writers).toContain(writer);
    }
    expect(writers).toContain('system:kube-scheduler');
    expect(writers).toContain('system:node:node-1');
    const creations = cluster.simulator
      .audit()
      .filter(({ verb, resource }) => verb === 'create' && resource === 'pods');
    expect(creations).toMatchObject([
      { user: 'system:serviceaccount:kube-system:statefulset-controller', name: 'web-0' },
    ]);
  });

  test('serves over HTTP on real time', async () => {
    await using simulator = await Simulator.start({ nodes: 2, http: true, timings: { speedUp: 100 } });
    await simulator.until(() => simulator.nodesReady(), { limitMs: 10_000 });
    const answer = await fetch(`${simulator.url}/api/v1/nodes`);
    const list = (await answer.json()) as { items: { metadata: { name: string } }[] };
    expect(list.items.map(({ metadata }) => metadata.name)).toEqual(['node-1', 'node-2']);
    expect(JSON.parse(simulator.kubeconfig({ user: 'me' }))).toMatchObject({
      clusters: [{ cluster: { server: simulator.url } }],
    });
    simulator.machine('node-1').crash();
    const unknown = (): boolean =>
      JSON.stringify(simulator.store.get(resources.nodes, undefined, 'node-1')).includes('NodeStatusUnknown');
    expect(await simulator.until(unknown, { limitMs: 10_000 })).toBeLessThan(3_000);
  });

  test('lets something stand in front of the API server', async () => {
    const seen: string[] = [];
    const clock = new VirtualClock();
    await using simulator = await Simulator.start({
      clock,
      nodes: 0,
      inFront: (server) => async (request) => {
        seen.push(`${request.method} ${request.path} by ${request.user}`);
        return server(request);
      },
    });
    const { signal } = new AbortController();
    const answer = await simulator
      .transport({ user: 'me' })
      .send({ method: 'GET', path: '/api/v1/nodes', signal });
    expect(answer.status).toBe(200);
    expect(seen).toEqual(['GET /api/v1/nodes by me']);
  });

  test('probes machines: life shows at once, silence takes its time', async () => {
    await using cluster = await startTrial();
    const { signal } = new AbortController();
    const knock = cluster.simulator.probe({ timeoutMs: 1_000 });
    const probe = async (name: string): Promise<string> => {
      const start = cluster.clock.now();
      const found = await cluster.clock.runUntilSettled(knock(cluster.node(name), signal));
      return `${found} after ${cluster.clock.now() - start} ms`;
    };
    expect(await probe('node-1')).toBe('answered after 0 ms');
    cluster.simulator.machine('node-1').stopKubelet();
    expect(await probe('node-1')).toBe('refused after 0 ms');
    cluster.simulator.machine('node-2').pause();
    expect(await probe('node-2')).toBe('mute after 1000 ms');
    cluster.simulator.machine('node-3').crash();
    expect(await probe('node-3')).toBe('silent after 1000 ms');
  });

  test('says so when it does not serve over HTTP', async () => {
    await using simulator = await Simulator.start({ clock: new VirtualClock(), nodes: 0 });
    expect(() => simulator.url).toThrow('{ http: true }');
    expect(() => simulator.kubeconfig()).toThrow('{ http: true }');
  });

  test('leaves nothing behind when it stops', async () => {
    const clock = new VirtualClock();
    const simulator = await Simulator.start({ clock, random: seededRandom(1) });
    await clock.advance(120_000);
    await simulator.stop();
    await simulator.stop();
    await clock.advance(0);
    expect(clock.pendingTimers).toBe(0);
  });

  test('names what it does not know', async () => {
    await using simulator = await Simulator.start({ clock: new VirtualClock(), nodes: [{ name: 'one' }] });
    expect(() => simulator.machine('two')).toThrow('(one)');
    expect(() => simulator.addMachine({ name: 'one' })).toThrow('another machine has');
    await expect(Simulator.start({ nodes: [{ name: 'a' }, { name: 'a' }] })).rejects.toThrow(RangeError);
  });

  test('goes on after a controller stumbles over an object that no real server would hold', async () => {
    const clock = new VirtualClock();
    const errors: unknown[] = [];
    await using simulator = await Simulator.start({
      clock,
      nodes: 1,
      onError: (error) => errors.push(error),
    });
    await simulator.until(() => simulator.nodesReady());
    simulator.store.create(
      resources.pods,
      {
        metadata: { name: 'odd', namespace: 'default' },
        spec: { containers: [{ name: 'main', image: 'x' }], volumes: 'none' },
      },
      { user: 'tester' },
    );
    await clock.advance(60_000);
    expect(errors.length).toBeGreaterThan(0);
    expect(simulator.nodesReady()).toBe(true);
  });
});

describe('timings', () => {
  test('shrink together, unless given on their own', () => {
    const timings = timingsWith({ speedUp: 10, podGcMs: 7 });
    expect(timings).toMatchObject({ leaseRenewMs: 1_000, nodeMonitorGracePeriodMs: 5_000, podGcMs: 7 });
  });

  test.each([{ speedUp: 0 }, { podGcMs: -1 }, { leaseRenewMs: Number.NaN }, { podGCMs: 5 }])(
    'refuse %j',
    (options) => {
      expect(() => timingsWith(options)).toThrow(RangeError);
    },
  );
});
