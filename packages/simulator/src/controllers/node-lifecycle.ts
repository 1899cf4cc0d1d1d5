// The controller manager's eye on the nodes: who fell silent, and which taints say so.
import { conditionStatus, setCondition } from './conditions.ts';
import { type Controller, type ControllerContext, every } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { EventRecorder } from './event-recorder.ts';
import { notReadyTaint, replacedTaints, unreachableTaint, unschedulableTaint } from './taints.ts';
import { timeText } from './timestamps.ts';
import type { Condition, Node, Taint } from './wire-objects.ts';
import { WorkQueue } from './work-queue.ts';
import { disruptionStep, evictionPaceMs, type ZoneState, zoneState } from './zone-disruption.ts';

const user = 'system:serviceaccount:kube-system:node-controller';

/** The NoExecute taint comes a moment after the NoSchedule one: its loop runs every 100 ms. */
const evictionReactions = 5;
const reportedConditions = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
const managedNoSchedule: readonly Taint[] = [
  { key: notReadyTaint, effect: 'NoSchedule' },
  { key: unreachableTaint, effect: 'NoSchedule' },
  { key: unschedulableTaint, effect: 'NoSchedule' },
];
const managedNoExecute: readonly Taint[] = [
  { key: notReadyTaint, effect: 'NoExecute' },
  { key: unreachableTaint, effect: 'NoExecute' },
];

/** When something of a node was last seen to change, by this controller's own clock. */
interface Sighting {
  /** As it was when it was seen first. */
  readonly node: Node;
  heartbeat: string | undefined;
  renewal: string | undefined;
  seenAt: number;
}

/** One zone's evictions: who waits for a NoExecute taint, and when the next one may get it. */
interface ZoneEvictions {
  state: ZoneState;
  paceMs: number;
  nextAt: number;
  /** In the order in which they fell silent. */
  readonly waiting: Set<string>;
}

/**
 * Looks at all nodes every five seconds. Silence is measured since a change of the Lease or of the status was last
 * *seen*, whatever times they carry.
 */
export class NodeLifecycle implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #events: EventRecorder;
  readonly #sightings = new Map<string, Sighting>();
  readonly #zones = new Map<string, ZoneEvictions>();
  readonly #queue: WorkQueue;
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, user);
    this.#events = new EventRecorder(context, user, 'node-controller');
    this.#queue = new WorkQueue(context, 'node lifecycle', (key) => {
      if (key.startsWith('zone/')) this.#evict(key.slice('zone/'.length));
      else this.#applyNoScheduleTaints(key.slice('node/'.length));
    });
  }

  start(): void {
    this.#ends.push(
      this.#client.watch('nodes', ({ object }) => this.#queue.add(`node/${object.metadata.name}`)),
      every(this.#context, this.#context.timings.nodeMonitorMs, 'node lifecycle', () => this.#look()),
    );
    for (const node of this.#client.list('nodes')) this.#queue.add(`node/${node.metadata.name}`);
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  #look(): void {
    const nodes = this.#client.list('nodes');
    const names = new Set(nodes.map((node) => node.metadata.name));
    for (const [name, { node }] of this.#sightings) if (!names.has(name)) this.#forget(name, node);
    const zones = new Map<string, { ready: number; notReady: number }>();
    for (const node of nodes) {
      const ready = this.#lookAt(node);
      if (node.metadata.labels?.['node.kubernetes.io/exclude-disruption'] !== undefined) continue;
      const zone = zones.get(zoneOf(node)) ?? { ready: 0, notReady: 0 };
      if (ready) zone.ready++;
      else zone.notReady++;
      zones.set(zoneOf(node), zone);
    }
    this.#judgeZones(nodes, zones);
  }

  /** Returns whether the node is Ready. */
  #lookAt(node: Node): boolean {
    const { clock, timings } = this.#context;
    const before = readyOf(node);
    const sighting = this.#see(node);
    const graceMs =
      before === undefined ? timings.nodeStartupGracePeriodMs : timings.nodeMonitorGracePeriodMs;
    const silent = clock.now() - sighting.seenAt >= graceMs;
    const current = silent ? this.#declareUnknown(node) : node;
    const status = readyOf(current)?.status;
    this.#queueForEviction(current, status);
    if (before?.status === 'True' && status !== 'True') {
      this.#events.record(
        node,
        'Normal',
        'NodeNotReady',
        `Node ${node.metadata.name} status is now: NodeNotReady`,
      );
      this.#markPodsNotReady(node.metadata.name);
    }
    return status === 'True';
  }

  #see(node: Node): Sighting {
    const { clock } = this.#context;
    const { name, uid } = node.metadata;
    const heartbeat = readyOf(node)?.lastHeartbeatTime;
    const renewal = this.#client.find('leases', 'kube-node-lease', name)?.spec?.renewTime;
    const known = this.#sightings.get(name);
    if (known?.node.metadata.uid !== uid) {
      this.#say(node, 'RegisteredNode', 'Registered Node', 'in');
      const first = { node, heartbeat, renewal, seenAt: clock.now() };
      this.#sightings.set(name, first);
      return first;
    }
    // A Lease that vanished is no sign of life; one that came, or moved, is.
    const renewed = renewal !== undefined && renewal !== known.renewal;
    if (renewed || heartbeat !== known.heartbeat) known.seenAt = clock.now();
    if (renewed) known.renewal = renewal;
    known.heartbeat = heartbeat;
    return known;
  }

  #declareUnknown(node: Node): Node {
    const { clock } = this.#context;
    const known = reportedConditions.filter((type) => conditionStatus(node, type) !== 'Unknown');
    if (known.length === 0) return node;
    const changed = this.#client.change(
      'nodes',
      node,
      (draft) => {
        const conditions = draft.status?.conditions ?? [];
        for (const type of known) {
          const reported = conditions.some((condition) => condition.type === type);
          setCondition(conditions, reported ? stopped(type) : neverUpdated(type, node), clock);
        }
        draft.status = { ...draft.status, conditions };
        return true;
      },
      'status',
    );
    return changed ?? node;
  }

  #markPodsNotReady(nodeName: string): void {
    for (const pod of this.#client.list('pods', { fieldSelector: `spec.nodeName=${nodeName}` })) {
      this.#client.change(
        'pods',
        pod,
        (draft) => {
          const ready = draft.status?.conditions?.find((condition) => condition.type === 'Ready');
          if (ready === undefined || ready.status === 'False') return false;
          ready.status = 'False';
          ready.lastTransitionTime = timeText(this.#context.clock);
          this.#events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
          return true;
        },
        'status',
      );
    }
  }

  /** A node that is Ready loses its taints at once; the others queue up in their zone. */
  #queueForEviction(node: Node, status: Condition['status'] | undefined): void {
    const { name } = node.metadata;
    const zone = this.#zone(zoneOf(node));
    if (status === undefined) return;
    if (status === 'True') {
      zone.waiting.delete(name);
      this.#taintNoExecute(node, []);
      return;
    }
    const [wanted, opposite] =
      status === 'Unknown' ? [unreachableTaint, notReadyTaint] : [notReadyTaint, unreachableTaint];
    const present = (key: string): boolean =>
      node.spec?.taints?.some((taint) => taint.key === key && taint.effect === 'NoExecute') ?? false;
    // The two exclude each other; trading one for the other is no eviction and waits for nothing.
    if (present(opposite)) this.#taintNoExecute(node, [wanted]);
    else if (!present(wanted)) zone.waiting.add(name);
  }

  #judgeZones(
    nodes: readonly Node[],
    counts: ReadonlyMap<string, { ready: number; notReady: number }>,
  ): void {
    const { clock, timings } = this.#context;
    const before = new Map([...this.#zones].map(([name, zone]) => [name, zone.state]));
    const after = new Map(
      [...counts].map(([name, { ready, notReady }]) => [name, zoneState(ready, notReady)]),
    );
    const step = disruptionStep(before, after);
    const allDark = after.size > 0 && [...after.values()].every((state) => state === 'full-disruption');
    for (const [name, zone] of this.#zones) {
      const { ready, notReady } = counts.get(name) ?? { ready: 0, notReady: 0 };
      zone.state = after.get(name) ?? 'normal';
      const paceMs = allDark
        ? Number.POSITIVE_INFINITY
        : evictionPaceMs(zone.state, ready + notReady, timings.nodeEvictionMs);
      // After a standstill the first eviction waits its turn, too: some nodes may just be about to report.
      if (!Number.isFinite(zone.paceMs) && Number.isFinite(paceMs)) zone.nextAt = clock.now() + paceMs;
      zone.paceMs = paceMs;
      if (zone.waiting.size > 0) this.#queue.add(`zone/${name}`, timings.reactionMs * evictionReactions);
    }
    if (step.kind === 'enter-master-disruption') for (const node of nodes) this.#taintNoExecute(node, []);
    if (step.kind === 'leave-master-disruption') {
      for (const sighting of this.#sightings.values()) sighting.seenAt = clock.now();
    }
  }

  /** Taints the next node of a zone if its pace allows it now, and comes back for the one after. */
  #evict(zoneName: string): void {
    const { clock } = this.#context;
    const zone = this.#zone(zoneName);
    for (const name of zone.waiting) {
      if (!Number.isFinite(zone.paceMs)) return;
      if (clock.now() < zone.nextAt) {
        this.#queue.add(`zone/${zoneName}`, zone.nextAt - clock.now());
        return;
      }
      zone.waiting.delete(name);
      const node = this.#client.find('nodes', undefined, name);
      const status = node && readyOf(node)?.status;
      if (node === undefined || status === undefined || status === 'True') continue;
      zone.nextAt = clock.now() + zone.paceMs;
      this.#taintNoExecute(node, [status === 'Unknown' ? unreachableTaint : notReadyTaint]);
    }
  }

  #taintNoExecute(node: Node, keys: readonly string[]): void {
    this.#replaceTaints(
      node,
      managedNoExecute,
      keys.map((key): Taint => ({ key, effect: 'NoExecute' })),
    );
  }

  /** What the node's conditions mean to the scheduler; never braked by disruption. */
  #applyNoScheduleTaints(name: string): void {
    const node = this.#client.find('nodes', undefined, name);
    if (node === undefined) return;
    const status = readyOf(node)?.status;
    const keys = [
      ...(status === 'False' ? [notReadyTaint] : []),
      ...(status === 'Unknown' ? [unreachableTaint] : []),
      ...(node.spec?.unschedulable ? [unschedulableTaint] : []),
    ];
    // Without a condition the taint of the admission stays: nobody has seen this node Ready.
    if (status === undefined) return;
    this.#replaceTaints(
      node,
      managedNoSchedule,
      keys.map((key): Taint => ({ key, effect: 'NoSchedule' })),
    );
  }

  #replaceTaints(node: Node, managed: readonly Taint[], wanted: readonly Taint[]): void {
    if (replacedTaints(node, managed, wanted) === undefined) return;
    const timeAdded = timeText(this.#context.clock);
    this.#client.change('nodes', node, (draft) => {
      const taints = replacedTaints(
        draft,
        managed,
        wanted.map((taint) => ({ ...taint, timeAdded })),
      );
      if (taints === undefined) return false;
      draft.spec = { ...draft.spec, taints: [...taints] };
      return true;
    });
  }

  #forget(name: string, node: Node): void {
    this.#say(node, 'RemovingNode', 'Removing Node', 'from');
    this.#sightings.delete(name);
    for (const zone of this.#zones.values()) zone.waiting.delete(name);
  }

  #say(node: Node, reason: string, what: string, how: string): void {
    const { name } = node.metadata;
    this.#events.record(node, 'Normal', reason, `Node ${name} event: ${what} ${name} ${how} Controller`);
  }

  #zone(name: string): ZoneEvictions {
    const known = this.#zones.get(name);
    if (known !== undefined) return known;
    const zone: ZoneEvictions = {
      state: 'normal',
      paceMs: this.#context.timings.nodeEvictionMs,
      nextAt: Number.NEGATIVE_INFINITY,
      waiting: new Set(),
    };
    this.#zones.set(name, zone);
    return zone;
  }
}

const readyOf = (node: Node): Condition | undefined =>
  node.status?.conditions?.find((condition) => condition.type === 'Ready');

function zoneOf(node: Node): string {
  const region = node.metadata.labels?.['topology.kubernetes.io/region'] ?? '';
  return `${region}:${node.metadata.labels?.['topology.kubernetes.io/zone'] ?? ''}`;
}

function neverUpdated(type: string, node: Node): Condition {
  return {
    type,
    status: 'Unknown',
    reason: 'NodeStatusNeverUpdated',
    message: 'Kubelet never posted node status.',
    ...(node.metadata.creationTimestamp === undefined
      ? {}
      : { lastHeartbeatTime: node.metadata.creationTimestamp }),
  };
}

function stopped(type: string): Condition {
  return {
    type,
    status: 'Unknown',
    reason: 'NodeStatusUnknown',
    message: 'Kubelet stopped posting node status.',
  };
}
