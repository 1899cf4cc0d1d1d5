// A small cluster in memory on which maintenance is tested: pods leave when asked, and sets make them anew elsewhere.
import { isDeepStrictEqual } from 'node:util';
import type {
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  StatefulSet,
} from '../kubernetes/objects.ts';
import type { EvictionAnswer, MaintenanceCluster, NodeChange } from '../maintenance/cluster.ts';
import { maintenanceAnnotation } from '../marks/maintenance.ts';
import type { WriteOutcome } from '../takeover/cluster.ts';
import type { Clock } from '../time/clock.ts';
import { type Refusal, refusalError } from './memory-refusal.ts';

/** What a pod of a test is like; the rest is what is most common. */
export interface PodOptions {
  /** `StatefulSet/web`; null for a pod that nobody makes anew. Default `ReplicaSet/web`. */
  readonly owner?: string | null;
  readonly node?: string;
  readonly claim?: string;
  readonly emptyDir?: boolean;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
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
  /** Each lets none of its pods go. */
  readonly budgets: Map<string, PodDisruptionBudget> = new Map();
  /** Names of the pods whose eviction was carried out, in order. */
  readonly evicted: string[] = [];
  /** Uids of StatefulSet pods that left and aren't Ready elsewhere yet, and the most there ever were at once. */
  readonly inFlight: Set<string> = new Set();
  mostInFlight = 0;
  /** What an admission policy or a webhook says to the eviction of a pod, which then stays; undefined: nothing. */
  forbids: (pod: Pod) => Refusal | undefined = () => undefined;
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
    const node = this.#node(name);
    const changed = change(node);
    // A write that changes nothing is none.
    if (isDeepStrictEqual(node, changed)) return;
    this.nodes.set(name, { ...changed, metadata: { ...changed.metadata, resourceVersion: this.#next() } });
  }

  putPod(name: string, options: PodOptions = {}): Pod {
    const {
      owner = 'ReplicaSet/web',
      node = 'node-1',
      claim,
      emptyDir,
      annotations,
      labels,
      phase,
    } = options;
    const [kind = '', ownerName = ''] = owner?.split('/') ?? [];
    const pod: Pod = {
      metadata: {
        namespace: 'default',
        name,
        uid: `uid-${name}-${this.#version}`,
        resourceVersion: this.#next(),
        ...(annotations && { annotations }),
        ...(labels && { labels }),
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
    const uid = `StatefulSet/${set}`;
    const metadata = { namespace: 'default', name: set, uid, resourceVersion: this.#next() };
    this.sets.set(`default/${set}`, { metadata, spec: { replicas } });
  }

  /** Somebody deletes a StatefulSet, and its pods with it. */
  removeSet(set: string): void {
    this.sets.delete(`default/${set}`);
    for (const pod of [...this.pods.values()])
      if (pod.metadata.ownerReferences?.[0]?.uid === `StatefulSet/${set}`) this.#terminate(pod);
  }

  /** A budget that lets none of the pods with these labels go. */
  protect(budget: string, matchLabels: Readonly<Record<string, string>>): void {
    const metadata = { namespace: 'default', name: budget, uid: budget, resourceVersion: this.#next() };
    this.budgets.set(`default/${budget}`, { metadata, spec: { selector: { matchLabels } } });
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

  async listBudgets(namespace: string): Promise<readonly PodDisruptionBudget[]> {
    return this.#serve('listBudgets', () =>
      [...this.budgets.values()]
        .filter(({ metadata }) => metadata.namespace === namespace)
        .toSorted(({ metadata: a }, { metadata: b }) => (a.name < b.name ? -1 : 1)),
    );
  }

  async changeNode(seen: Node, change: NodeChange): Promise<WriteOutcome> {
    return this.#serve('changeNode', () => {
      const { name, uid, resourceVersion } = seen.metadata;
      const node = this.nodes.get(name);
      if (node === undefined) return 'gone';
      if (node.metadata.uid !== uid || node.metadata.resourceVersion !== resourceVersion) return 'conflict';
      this.changeNodeAside(name, ({ metadata: { annotations: before, ...metadata }, spec, ...rest }) => {
        const { [maintenanceAnnotation]: mark, ...others } = before ?? {};
        const { unschedulable: _, ...kept } = spec ?? {};
        // As on the wire, where false is not there.
        const wanted = { ...kept, ...(change.unschedulable && { unschedulable: true }) };
        const text = change.maintenance === undefined ? mark : change.maintenance;
        const annotations = { ...others, ...(typeof text === 'string' && { [maintenanceAnnotation]: text }) };
        return {
          ...rest,
          metadata: { ...metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
          ...(Object.keys(wanted).length > 0 && { spec: wanted }),
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
      if (pod.metadata.deletionTimestamp !== undefined) return { outcome: 'evicted' };
      const forbidden = this.forbids(pod);
      if (forbidden !== undefined) {
        const error = refusalError({ method: 'evict', target: key }, forbidden);
        return { outcome: 'denied', why: error.said, error };
      }
      const refusal = this.refuse(pod) ?? this.#refusedByBudget(pod);
      if (refusal !== undefined) return refusal;
      this.evicted.push(at.name);
      this.#terminate(pod);
      return { outcome: 'evicted' };
    });
  }

  #refusedByBudget({ metadata: { labels = {} } }: Pod): EvictionAnswer | undefined {
    const covering = [...this.budgets.values()].filter(({ spec }) =>
      Object.entries(spec?.selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value),
    );
    const budgets = covering.map(({ metadata }) => metadata.name);
    if (budgets.length === 0) return undefined;
    const why = `The disruption budget ${budgets.join(' and ')} needs 1 healthy pods and has 1 currently`;
    return { outcome: 'refused', budgets, why, retryAfterMs: 0 };
  }

  /** Its kubelet stops it. */
  #terminate(pod: Pod): void {
    const key = `default/${pod.metadata.name}`;
    if (pod.metadata.deletionTimestamp !== undefined) return;
    const graceMs = 1_000 * (pod.spec?.terminationGracePeriodSeconds ?? 30);
    const deletionTimestamp = `${new Date(this.#clock.wallTime() + graceMs).toISOString().slice(0, 19)}Z`;
    const metadata = { ...pod.metadata, deletionTimestamp, resourceVersion: this.#next() };
    this.pods.set(key, { ...pod, metadata });
    const [owner] = pod.metadata.ownerReferences ?? [];
    const isOfSet = owner?.kind === 'StatefulSet';
    if (isOfSet) this.inFlight.add(pod.metadata.name);
    this.mostInFlight = Math.max(this.mostInFlight, this.inFlight.size);
    this.#clock.setTimeout(() => {
      this.pods.delete(key);
      if (isOfSet && owner !== undefined) this.#makeAnew(pod, `StatefulSet/${owner.name}`);
    }, stopsAfterMs);
  }

  #makeAnew(old: Pod, owner: string): void {
    const { name } = old.metadata;
    const ordinal = Number(/\d+$/.exec(name)?.[0]);
    const set = this.sets.get(`default/${owner.split('/')[1]}`);
    if (ordinal >= (set?.spec?.replicas ?? 0)) return void this.inFlight.delete(name);
    const claim = old.spec?.volumes?.find((one) => one.persistentVolumeClaim)?.persistentVolumeClaim
      ?.claimName;
    const { replacementNode: node } = this;
    const { labels } = old.metadata;
    const pod = this.putPod(name, {
      owner,
      ...(claim && { claim }),
      ...(labels && { labels }),
      node: node ?? 'none',
    });
    const { nodeName: _, ...nowhere } = pod.spec ?? {};
    const unscheduled = node === undefined ? { spec: nowhere } : {};
    const starting: Pod = { ...pod, ...unscheduled, status: { phase: 'Pending', conditions: [] } };
    this.pods.set(`default/${name}`, starting);
    if (node === undefined) return;
    this.#clock.setTimeout(() => {
      const metadata = { ...pod.metadata, resourceVersion: this.#next() };
      this.pods.set(`default/${name}`, { ...pod, metadata });
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
