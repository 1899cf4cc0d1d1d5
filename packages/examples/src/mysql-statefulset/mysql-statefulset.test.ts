// The manifest of the MySQL example, on an API server that takes or refuses it, and on a node that dies.
import { fileURLToPath } from 'node:url';
import { KubeConfig } from '@kubernetes/client-node';
import {
  Controller,
  connect,
  defaultHeartbeatDetection,
  noneFencer,
  type PersistentVolumeClaim,
  type Pod,
} from '@liberator/core';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import { describe, expect, it } from 'vitest';
import { createObjects, type Manifest, readManifests } from '../demo/cluster/create-objects.ts';
import { runProgram } from '../testing/run-program.ts';

const manifest = fileURLToPath(new URL('../../mysql-statefulset/mysql.yaml', import.meta.url));

/** As the manifest's first lines say. */
const secret: Manifest = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'mysql', namespace: 'default' },
  stringData: { 'root-password': 'a password of your own' },
};

class Example implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly simulator: Simulator;
  readonly #stop: AbortController = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(clock: VirtualClock, simulator: Simulator) {
    this.clock = clock;
    this.simulator = simulator;
  }

  /** Sent over HTTP, as kubectl would; returns once mysql-0 is Ready and every node has sent a heartbeat. */
  static async start(): Promise<Example> {
    const clock = new VirtualClock();
    const simulator = await Simulator.start({ http: true, clock, random: seededRandom(8) });
    const example = new Example(clock, simulator);
    await simulator.until(() => simulator.nodesReady());
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromString(simulator.kubeconfig());
    await createObjects(kubeConfig, [secret, ...readManifests(manifest, 'default')]);
    await simulator.until(() => example.ready);
    await clock.advance(15_000);
    return example;
  }

  get pod(): Pod | undefined {
    return this.simulator.store.find(resources.pods, 'default', 'mysql-0') as unknown as Pod | undefined;
  }

  get ready(): boolean {
    const { pod } = this;
    const conditions = pod?.status?.conditions ?? [];
    const isReady = conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
    return isReady && pod?.metadata.deletionTimestamp === undefined;
  }

  get claim(): PersistentVolumeClaim {
    const type = resources.persistentvolumeclaims;
    return this.simulator.store.get(type, 'default', 'data-mysql-0') as unknown as PersistentVolumeClaim;
  }

  /** Switches off the machine under the database, and tells which it was. */
  crash(): string {
    const node = this.pod?.spec?.nodeName ?? '';
    this.simulator.machine(node).crash();
    return node;
  }

  startController(): void {
    const election = { namespace: 'tkr-system', name: 'liberator' };
    const identity = 'example';
    const { clock, simulator } = this;
    const random = seededRandom(9);
    const transport = simulator.transport({ user: identity });
    const leaseTransport = simulator.transport({ user: identity });
    const connection = connect({
      transport,
      leaseTransport,
      namespace: election.namespace,
      election,
      identity,
      clock,
      random,
    });
    simulator.store.create(
      resources.namespaces,
      { metadata: { name: election.namespace } },
      { user: 'tester' },
    );
    const controller = new Controller({
      ...connection,
      election,
      identity,
      clock,
      random,
      probe: simulator.probe(),
      fencers: [noneFencer],
      policies: [
        {
          name: 'all',
          nodes: { all: true },
          detection: defaultHeartbeatDetection,
          controlPlane: false,
          evidence: 'unreachable',
          budget: { maxDead: 2, maxDeadPercent: 34 },
          fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
          node: 'delete',
        },
      ],
    });
    this.#running = controller.run(this.#stop.signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    // Handing over takes a moment of its own clock.
    await this.clock.advance(5_000);
    await this.#running;
    await this.simulator.stop();
  }
}

describe('the MySQL example', () => {
  it('is accepted, and comes up under a name and on a volume of its own', async () => {
    await using example = await Example.start();
    expect(example.pod?.metadata.name).toBe('mysql-0');
    expect(example.claim.spec?.volumeName).toBeDefined();
    const claims = example.pod?.spec?.volumes?.map(({ persistentVolumeClaim }) => persistentVolumeClaim);
    expect(claims).toEqual([{ claimName: 'data-mysql-0' }]);
  });

  it('has a headless Service that names its pods, and no password in clear', () => {
    const [service, set] = readManifests(manifest) as readonly [Service, Set];
    expect(service.spec.clusterIP).toBe('None');
    expect(set.spec.serviceName).toBe(service.metadata?.name);
    expect(set.spec.template.metadata.labels).toMatchObject(service.spec.selector);
    const [container] = set.spec.template.spec.containers;
    expect(container?.env).toEqual([
      {
        name: 'MYSQL_ROOT_PASSWORD',
        valueFrom: { secretKeyRef: { name: secret.metadata?.name, key: 'root-password' } },
      },
    ]);
    expect(Object.keys(secret['stringData'] as object)).toEqual(['root-password']);
  });

  it('stays stuck forever when its node dies and nobody helps', async () => {
    await using example = await Example.start();
    const uid = example.pod?.metadata.uid;
    example.crash();
    await example.clock.advance(2 * 3_600_000);
    expect(example.pod?.metadata).toMatchObject({ uid, deletionTimestamp: expect.any(String) });
  });

  it('runs on another node, on the same volume, within a minute when a controller watches', async () => {
    await using example = await Example.start();
    example.startController();
    await example.clock.advance(30_000);
    const before = { uid: example.pod?.metadata.uid, volume: example.claim.spec?.volumeName };
    const node = example.crash();
    const tookMs = await example.simulator.until(
      () => example.ready && example.pod?.metadata.uid !== before.uid,
    );
    expect(tookMs).toBeLessThan(60_000);
    expect(example.pod?.spec?.nodeName).not.toBe(node);
    expect(example.claim.spec?.volumeName).toBe(before.volume);
  });
});

describe('the program of the MySQL example', () => {
  it('shows that the volume outlives the pod and the StatefulSet', async () => {
    const { exitCode, stdout, stderr } = await runProgram('mysql-statefulset');
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout.match(/is Ready on node-\d, on the same volume/g)).toHaveLength(2);
    expect(stdout).toContain('its claim and its volume are not');
  });
});

interface Service extends Manifest {
  readonly spec: { readonly clusterIP: string; readonly selector: object };
}

interface Set extends Manifest {
  readonly spec: {
    readonly serviceName: string;
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: { readonly containers: readonly { readonly env: unknown }[] };
    };
  };
}
