// A simulated cluster on virtual time with the words in which the controllers' tests are written.

import { conditionStatus, isReady } from '../controllers/conditions.ts';
import { ControllerClient } from '../controllers/controller-client.ts';
import type { Node, Pod, StatefulSet } from '../controllers/wire-objects.ts';
import { Simulator } from '../simulator.ts';
import type { SimulatorOptions } from '../simulator-options.ts';
import { resources } from '../store/resources.ts';
import type { Store } from '../store/store.ts';
import { seededRandom } from '../time/seeded-random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';

const admin = { user: 'tester' };

/** Options of {@link startTrial}. */
export interface TrialOptions extends Omit<SimulatorOptions, 'clock' | 'random'> {
  readonly seed?: number | string;
}

/** Starts a cluster and waits until its nodes are Ready and have their Leases. Errors of controllers fail the test. */
export async function startTrial(options: TrialOptions = {}): Promise<TrialCluster> {
  const { seed = 1, ...others } = options;
  const clock = new VirtualClock();
  const onError = (error: unknown): void => {
    throw error;
  };
  const simulator = await Simulator.start({ onError, ...others, clock, random: seededRandom(seed) });
  await simulator.until(() => simulator.nodesReady());
  await clock.advance(15_000);
  return new TrialCluster(simulator, clock);
}

/** See {@link startTrial}. */
export class TrialCluster implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly clock: VirtualClock;
  /** As somebody who may do everything. */
  readonly client: ControllerClient;

  constructor(simulator: Simulator, clock: VirtualClock) {
    this.simulator = simulator;
    this.clock = clock;
    this.client = new ControllerClient(simulator.store, admin.user);
  }

  get store(): Store {
    return this.simulator.store;
  }

  /** Milliseconds until `reached` holds. */
  until(reached: () => boolean, limitMs = 3_600_000): Promise<number> {
    return this.simulator.until(reached, { limitMs });
  }

  node(name: string): Node {
    return this.store.get(resources.nodes, undefined, name) as unknown as Node;
  }

  hasNode(name: string): boolean {
    return this.store.find(resources.nodes, undefined, name) !== undefined;
  }

  /** The status of the node's Ready condition. */
  ready(name: string): string | undefined {
    return conditionStatus(this.node(name), 'Ready');
  }

  /** `key:effect` of each of the node's taints, sorted. */
  taints(name: string): readonly string[] {
    return (this.node(name).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`).sort();
  }

  taint(name: string, key: string, effect: 'NoSchedule' | 'NoExecute'): void {
    this.client.change('nodes', { metadata: { name } }, (draft) => {
      draft.spec = { ...draft.spec, taints: [...(draft.spec?.taints ?? []), { key, effect }] };
      return true;
    });
  }

  pod(name: string): Pod | undefined {
    return this.client.find('pods', 'default', name);
  }

  /** Whether the pod is Ready and not on its way out. */
  podReady(name: string): boolean {
    const pod = this.pod(name);
    return pod !== undefined && isReady(pod) && pod.metadata.deletionTimestamp === undefined;
  }

  terminating(name: string): boolean {
    return this.pod(name)?.metadata.deletionTimestamp !== undefined;
  }

  /** The node of a pod, which must have one. */
  nodeOf(podName: string): string {
    const nodeName = this.pod(podName)?.spec?.nodeName;
    if (nodeName === undefined) throw new Error(`expected pod ${podName} to be on a node, found it on none`);
    return nodeName;
  }

  createPod(name: string, spec: object = {}): Pod {
    return this.client.create('pods', {
      metadata: { name, namespace: 'default', labels: { app: name } },
      spec: { containers: [{ name: 'main', image: 'main:1' }], ...spec },
    });
  }

  /** Creates a StatefulSet and waits until all its pods are Ready. */
  async createSet(name: string, options: SetOptions = {}): Promise<StatefulSet> {
    const { replicas = 3, volumes = false, spec = {}, podSpec = {} } = options;
    const labels = { app: name };
    const claim = {
      metadata: { name: 'data' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    };
    this.client.create('statefulsets', {
      metadata: { name, namespace: 'default' },
      spec: {
        replicas,
        serviceName: name,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: 'main', image: 'main:1' }], ...podSpec },
        },
        ...(volumes ? { volumeClaimTemplates: [claim] } : {}),
        ...spec,
      },
    });
    await this.until(() => this.set(name).status?.readyReplicas === replicas);
    return this.set(name);
  }

  set(name: string): StatefulSet {
    return this.store.get(resources.statefulsets, 'default', name) as unknown as StatefulSet;
  }

  /** The names of the pods that really run, with their machines: `web-0 on node-1`. */
  running(): readonly string[] {
    return this.simulator
      .runningPods()
      .map((pod) => `${pod.name} on ${pod.node}`)
      .sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.simulator.stop();
  }
}

/** What a StatefulSet of a test is like. */
export interface SetOptions {
  /** Default 3. */
  readonly replicas?: number;
  /** Whether each pod has a volume that is attached to its node. Default false. */
  readonly volumes?: boolean;
  readonly spec?: object;
  readonly podSpec?: object;
}
