// Nodes that come back, or die again, while their takeover still waits for a pod: figures, on a simulated cluster.
import {
  Controller,
  connect,
  defaultHeartbeatDetection,
  noneFencer,
  type Pod,
  type Policy,
  type TakeoverRecord,
} from '@liberator/core';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import { afterEach, describe, expect, it } from 'vitest';

const election = { namespace: 'liberator', name: 'liberator' };
const human = { user: 'human' };
const all: Policy = {
  name: 'all',
  nodes: { all: true },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 2, maxDeadPercent: 50 },
  fencing: { drivers: ['none'], proof: 'optional' },
  node: 'keep',
};

/** Real controllers beside a simulated cluster, and what became of each takeover. */
class Stage implements AsyncDisposable {
  readonly clock: VirtualClock = new VirtualClock();
  readonly records: Map<string, TakeoverRecord> = new Map();
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[] = [];
  #simulator: Simulator | undefined;

  get simulator(): Simulator {
    if (this.#simulator === undefined) throw new Error('the stage is not set');
    return this.#simulator;
  }

  async set(nodes: number): Promise<this> {
    this.#simulator = await Simulator.start({ nodes, clock: this.clock, random: seededRandom(1) });
    await this.simulator.until(() => this.simulator.nodesReady());
    this.simulator.store.create(resources.namespaces, { metadata: { name: 'liberator' } }, human);
    return this;
  }

  async run(policy: Partial<Policy> = {}): Promise<void> {
    const transport = this.simulator.transport({ user: 'agent' });
    const controller = new Controller({
      ...connect({
        transport,
        leaseTransport: transport,
        namespace: 'liberator',
        election,
        identity: 'a',
        clock: this.clock,
      }),
      election,
      identity: 'a',
      policies: [{ ...all, ...policy }],
      fencers: [noneFencer],
      probe: this.simulator.probe(),
      clock: this.clock,
    });
    controller.on('takeover', ({ record }) => this.records.set(record.id, record));
    this.#running.push(controller.run(this.#stop.signal).catch(() => {}));
    await this.pass(30);
  }

  pass(seconds: number): Promise<void> {
    return this.clock.advance(seconds * 1_000);
  }

  /** Seconds until it is so; Infinity when it isn't within ten minutes. */
  async secondsUntil(isSo: () => boolean): Promise<number> {
    for (let seconds = 0; seconds < 600; seconds++) {
      if (isSo()) return seconds;
      await this.pass(1);
    }
    return Number.POSITIVE_INFINITY;
  }

  /** A StatefulSet, all of its pods Ready. */
  async statefulSet(name: string, replicas: number, podSpec: object): Promise<void> {
    this.simulator.store.create(
      resources.statefulsets,
      {
        metadata: { name, namespace: 'default' },
        spec: {
          replicas,
          serviceName: name,
          selector: { matchLabels: { app: name } },
          template: {
            metadata: { labels: { app: name } },
            spec: { containers: [{ name: 'main', image: 'main:1' }], ...podSpec },
          },
        },
      },
      human,
    );
    await this.secondsUntil(() =>
      Array.from({ length: replicas }, (_, i) => this.isReady(`${name}-${i}`)).every(Boolean),
    );
  }

  pod(name: string): Pod | undefined {
    return this.simulator.store.find(resources.pods, 'default', name) as Pod | undefined;
  }

  isReady(name: string): boolean {
    const pod = this.pod(name);
    const ready = pod?.status?.conditions?.find(({ type }) => type === 'Ready');
    return pod?.metadata.deletionTimestamp === undefined && ready?.status === 'True';
  }

  changeNode(
    name: string,
    change: (node: { metadata: Record<string, unknown>; spec?: object }) => void,
  ): void {
    this.simulator.store.modify<object>(
      resources.nodes,
      undefined,
      name,
      (draft) => {
        change(draft as unknown as { metadata: Record<string, unknown> });
        return true;
      },
      human,
    );
  }

  get results(): readonly (string | undefined)[] {
    return [...this.records.values()].map(({ result }) => result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.clock.runUntilSettled(Promise.all(this.#running));
    await this.#simulator?.stop();
  }
}

let stage: Stage;

afterEach(() => stage[Symbol.asyncDispose]());

const apart = {
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app: 'db' } }, topologyKey: 'kubernetes.io/hostname' },
      ],
    },
  },
};

describe('a node that is back while its takeover waits for a pod that needs it', () => {
  it.each(['keep', 'delete'] as const)(
    'is taken in within its usual time where the policy says %s, and the pod runs there',
    async (node) => {
      stage = await new Stage().set(3);
      await stage.statefulSet('db', 3, apart);
      await stage.run({ node });
      const on = stage.pod('db-1')?.spec?.nodeName ?? '';
      const { uid } = stage.pod('db-1')?.metadata ?? {};
      stage.simulator.machine(on).crash();
      await stage.pass(120);
      expect(stage.results).toEqual([undefined]);
      stage.simulator.machine(on).powerOn();
      const isBack = (): boolean => stage.isReady('db-1') && stage.pod('db-1')?.metadata.uid !== uid;
      // Its boot, a minute of being Ready where it was kept, and the start of the pod.
      expect(await stage.secondsUntil(isBack)).toBeLessThan(node === 'keep' ? 110 : 45);
      await stage.pass(5);
      expect(stage.results).toEqual(['recovered']);
    },
  );
});

describe('a node that dies again while its first takeover waits for a pod that runs nowhere', () => {
  it.each(['keep', 'delete'] as const)(
    'is taken over in the usual time where the policy says %s',
    async (node) => {
      stage = await new Stage().set(4);
      const pool = (there: boolean) => (one: { metadata: Record<string, unknown> }) => {
        const { pool: _, ...labels } = (one.metadata['labels'] ?? {}) as Record<string, string>;
        one.metadata['labels'] = there ? { ...labels, pool: 'x' } : labels;
      };
      stage.changeNode('node-1', pool(true));
      await stage.statefulSet('hopeless', 1, { nodeSelector: { pool: 'x' } });
      stage.changeNode('node-1', pool(false));
      await stage.run({ node });
      stage.simulator.machine('node-1').crash();
      await stage.pass(60);
      stage.simulator.machine('node-1').powerOn({ bootMs: 0 });
      await stage.pass(120);
      expect(stage.results).toEqual([undefined]);
      const others = ['node-2', 'node-3', 'node-4'];
      const cordoned = (on: boolean) => (one: { spec?: object }) => {
        one.spec = { ...one.spec, unschedulable: on };
      };
      for (const name of others) stage.changeNode(name, cordoned(true));
      await stage.statefulSet('db', 1, {});
      for (const name of others) stage.changeNode(name, cordoned(false));
      expect(stage.pod('db-0')?.spec?.nodeName).toBe('node-1');
      const { uid } = stage.pod('db-0')?.metadata ?? {};
      stage.simulator.machine('node-1').crash();
      const isElsewhere = (): boolean => stage.isReady('db-0') && stage.pod('db-0')?.metadata.uid !== uid;
      expect(await stage.secondsUntil(isElsewhere)).toBeLessThan(40);
      expect(stage.results[0]).toBeUndefined();
    },
  );
});

describe('a Node that a finalizer holds', () => {
  it('is asked to go once, and not said to be deleted before it is gone', async () => {
    stage = await new Stage().set(4);
    await stage.run({ node: 'delete' });
    stage.changeNode('node-1', ({ metadata }) => {
      metadata['finalizers'] = ['example.com/cloud'];
    });
    stage.simulator.machine('node-1').crash();
    await stage.pass(150);
    const [record] = [...stage.records.values()];
    expect(record?.steps.remove).toMatchObject({
      outcome: 'skipped',
      left: ['the Node: being deleted; held by finalizer example.com/cloud'],
    });
    const asked = stage.simulator
      .audit()
      .filter(({ user, verb, resource }) => user === 'agent' && verb === 'delete' && resource === 'nodes');
    expect(asked).toHaveLength(1);
  });
});
