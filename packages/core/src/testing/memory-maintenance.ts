// A small cluster in memory on which maintenance is tested: pods leave when asked, and sets make them anew elsewhere.
import type { Clock } from '../clock.ts';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  StatefulSet,
} from '../kubernetes/objects.ts';
import type { EvictionAnswer, MaintenanceCluster, NodeChange } from '../maintenance/cluster.ts';
import { maintenanceAnnotation } from '../policy/guards/maintenance.ts';
import type { WriteOutcome } from '../takeover/cluster.ts';

/** What a pod of a test is like; the rest is what is most common. */
export interface PodOptions {
  /** `StatefulSet/web`; null for a pod that nobody makes anew. Default `ReplicaSet/web`. */
  readonly owner?: string | null;
  readonly node?: string;
  readonly claim?: string;
  readonly emptyDir?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly phase?: 'Running' | 'Succeeded';
}

const stopsAfterMs = 2_000;
const readyAfterMs = 3_000;

export class MemoryMaintenance implements MaintenanceCluster {
  readonly nodes: Map<string, Node> = new Map();
  /** By namespace and name. */
  readonly pods: Map<string, Pod> = new Map();
  readonly claims: Map<string, PersistentVolumeClaim> = new Map();
  readonly volumes: Map<string, PersistentVolume> = new Map();
  readonly sets: Map<string, StatefulSet> = new Map();
  /** Names of the pods whose eviction was carried out, in order. */
  readonly evicted: string[] = [];
  /** Uids of StatefulSet pods that left and aren't Ready elsewhere yet, and the most there ever were at once. */
  readonly inFlight: Set<string> = new Set();
  mostInFlight = 0;
  /** Refuses an eviction when it gives something. */
  refuse: (pod: Pod) => EvictionAnswer | undefined = () => undefined;
  /** Called before each call is served; may throw what the network throws. */
  before: (method: string) => void = () => undefined;
  /** Where a set's new pods go. Default `node-2`. */
  replacementNode: string | undefined = 'node-2';
  readonly #clock: Clock;
  #version = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.putNode('node-1');
  }

  putNode(name: string, more: Partial<Pick<Node, 'spec' | 'status'>> = {}): void {
    const metadata = { name, uid: `uid-${name}`, resourceVersion: this.#next() };
    const status = { conditions: [{ type: 'Ready', status: 'True' as const }] };
    this.nodes.set(name, { metadata, status, ...more });
  }

  /** Somebody else's write. */
  changeNodeAside(name: string, change: (node: Node) => Node): void {
    const node = change(this.#node(name));
    this.nodes.set(name, { ...node, metadata: { ...node.metadata, resourceVersion: this.#next() } });
  }

  putPod(name: string, options: PodOptions = {}): Pod {
    const { owner = 'ReplicaSet/web', node = 'node-1', claim, emptyDir, annotations, phase } = options;
    const [kind = '', ownerName = ''] = owner?.split('/') ?? [];
    const pod: Pod = {
      metadata: {
        namespace: 'default',
        name,
        uid: `uid-${name}-${this.#version}`,
        resourceVersion: this.#next(),
        ...(annotations && { annotations }),
        ...(owner !== null && {
          ownerReferences: [{ apiVersion: 'v1', kind, name: ownerName, uid: owner, controller: true }],
        }),
      },
      spec: {
        nodeName: node,
        terminationGracePeriodSeconds: 30,
        volumes: [
          ...(claim === undefined ? [] : [{ name: 'data', persistentVolumeClaim: { claimName: claim } }]),
          ...(emptyDir ? [{ name: 'scratch', emptyDir: {} }] : []),
        ],
      },
      status: { phase: phase ?? 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
    };
    this.pods.set(`default/${name}`, pod);
    if (kind === 'StatefulSet' && !this.sets.has(`default/${ownerName}`)) this.scale(ownerName, 10);
    if (claim !== undefined && !this.claims.has(`default/${claim}`)) this.bind(claim, `volume-of-${claim}`);
    return pod;
  }

  bind(claim: string, volume: string, pinnedTo?: string): void {
    const metadata = { name: claim, uid: claim, resourceVersion: this.#next() };
    this.claims.set(`default/${claim}`, { metadata, spec: { volumeName: volume } });
    const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: [pinnedTo ?? ''] }];
    this.volumes.set(volume, {
      metadata: { name: volume, uid: volume, resourceVersion: this.#next() },
      ...(pinnedTo !== undefined && {
        spec: { nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } } },
      }),
    });
  }

  scale(set: string, replicas: number): void {
    const metadata = { namespace: 'default', name: set, uid: set, resourceVersion: this.#next() };
    this.sets.set(`default/${set}`, { metadata, spec: { replicas } });
  }

  // The port.

  async readNode(name: string): Promise<Node | undefined> {
    return this.#serve('readNode', () => this.nodes.get(name));
  }

  async listPodsOn(node: string): Promise<readonly Pod[]> {
    return this.#serve('listPodsOn', () =>
      [...this.pods.values()].filter(({ spec }) => spec?.nodeName === node),
    );
  }

  async readPod(namespace: string, name: string): Promise<Pod | undefined> {
    return this.#serve('readPod', () => this.pods.get(`${namespace}/${name}`));
  }

  async readClaim(namespace: string, name: string): Promise<PersistentVolumeClaim | undefined> {
    return this.#serve('readClaim', () => this.claims.get(`${namespace}/${name}`));
  }

  async readVolume(name: string): Promise<PersistentVolume | undefined> {
    return this.#serve('readVolume', () => this.volumes.get(name));
  }

  async readStatefulSet(namespace: string, name: string): Promise<StatefulSet | undefined> {
    return this.#serve('readStatefulSet', () => this.sets.get(`${namespace}/${name}`));
  }

  async listBudgets(): Promise<readonly PodDisruptionBudget[]> {
    return this.#serve('listBudgets', () => []);
  }

  async changeNode(seen: Node, change: NodeChange): Promise<WriteOutcome> {
    return this.#serve('changeNode', () => {
      const { name, uid, resourceVersion } = seen.metadata;
      const node = this.nodes.get(name);
      if (node === undefined) return 'gone';
      if (node.metadata.uid !== uid || node.metadata.resourceVersion !== resourceVersion) return 'conflict';
      this.changeNodeAside(name, ({ metadata, spec, ...rest }) => {
        const { [maintenanceAnnotation]: mark, ...others } = metadata.annotations ?? {};
        const text = change.maintenance === undefined ? mark : change.maintenance;
        const annotations = { ...others, ...(typeof text === 'string' && { [maintenanceAnnotation]: text }) };
        return {
          ...rest,
          metadata: { ...metadata, annotations },
          spec: { ...spec, unschedulable: change.unschedulable },
        };
      });
      return 'written';
    });
  }

  async evict(at: { namespace: string; name: string; uid: string }): Promise<EvictionAnswer> {
    return this.#serve('evict', () => {
      const key = `${at.namespace}/${at.name}`;
      const pod = this.pods.get(key);
      if (pod === undefined || pod.metadata.uid !== at.uid) return { outcome: 'gone' };
      const refusal = this.refuse(pod);
      if (refusal !== undefined) return refusal;
      this.evicted.push(at.name);
      this.pods.set(key, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: 'now' } });
      const [owner] = pod.metadata.ownerReferences ?? [];
      const isOfSet = owner?.kind === 'StatefulSet';
      if (isOfSet) this.inFlight.add(at.name);
      this.mostInFlight = Math.max(this.mostInFlight, this.inFlight.size);
      this.#clock.setTimeout(() => {
        this.pods.delete(key);
        if (isOfSet && owner !== undefined) this.#makeAnew(pod, `StatefulSet/${owner.name}`);
      }, stopsAfterMs);
      return { outcome: 'evicted' };
    });
  }

  #makeAnew(old: Pod, owner: string): void {
    const { name } = old.metadata;
    const ordinal = Number(/\d+$/.exec(name)?.[0]);
    const set = this.sets.get(`default/${owner.split('/')[1]}`);
    if (ordinal >= (set?.spec?.replicas ?? 0)) return void this.inFlight.delete(name);
    const claim = old.spec?.volumes?.find((one) => one.persistentVolumeClaim)?.persistentVolumeClaim
      ?.claimName;
    const { replacementNode: node } = this;
    const pod = this.putPod(name, { owner, ...(claim && { claim }), node: node ?? 'none' });
    const { nodeName: _, ...nowhere } = pod.spec ?? {};
    const unscheduled = node === undefined ? { spec: nowhere } : {};
    const starting: Pod = { ...pod, ...unscheduled, status: { phase: 'Pending', conditions: [] } };
    this.pods.set(`default/${name}`, starting);
    if (node === undefined) return;
    this.#clock.setTimeout(() => {
      this.pods.set(`default/${name}`, pod);
      this.inFlight.delete(name);
    }, readyAfterMs);
  }

  async #serve<T>(method: string, serve: () => T): Promise<T> {
    await Promise.resolve();
    this.before(method);
    return serve();
  }

  #node(name: string): Node {
    const node = this.nodes.get(name);
    if (node === undefined) throw new RangeError(`expected a node of the test, found ${name}`);
    return node;
  }

  #next(): string {
    return String(++this.#version);
  }
}
