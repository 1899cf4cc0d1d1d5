// Gives pods their node, or says why none will do.
import { pick } from '../time/seeded-random.ts';
import { claimsOf } from './attachable-volumes.ts';
import { isFinished, setCondition } from './conditions.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { EventRecorder } from './event-recorder.ts';
import { type Candidate, obstacle } from './placement.ts';
import { controllerOf } from './pod-template.ts';
import { selectedNodeAnnotation, waitsForConsumer } from './volume-binder.ts';
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from './wire-objects.ts';
import { keyOf, splitKey, WorkQueue } from './work-queue.ts';

const user = 'system:kube-scheduler';
/** Even if nothing seems to have changed. */
const retryAnywayMs = 300_000;

/** The claims of a pod, sorted by what the scheduler has to do about them. */
interface Claims {
  readonly bound: readonly PersistentVolume[];
  /** Their volumes are made where the pod will be. */
  readonly waiting: readonly PersistentVolumeClaim[];
}

/** One pod at a time, against the cluster as it is at that moment. */
export class Scheduler implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  /** Pods that found no node, by key: how often, and when they may try again. */
  readonly #unschedulable = new Map<string, { readonly attempts: number; readonly retryAt: number }>();
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, user);
    this.#events = new EventRecorder(context, user, 'default-scheduler');
    this.#queue = new WorkQueue(context, 'scheduler', (key) => this.#schedule(key));
  }

  start(): void {
    this.#ends.push(
      this.#client.watch('pods', ({ type, object, previous }) => {
        if (type === 'DELETED' || isFinished(object)) this.#retryAll();
        else if (previous === undefined && object.spec?.nodeName === undefined)
          this.#queue.add(keyOf(object));
      }),
      this.#client.watch('nodes', ({ object, previous }) => {
        if (previous === undefined || offer(object) !== offer(previous)) this.#retryAll();
      }),
      this.#client.watch('persistentvolumeclaims', () => this.#retryAll()),
      this.#client.watch('persistentvolumes', () => this.#retryAll()),
    );
    for (const pod of this.#client.list('pods')) {
      if (pod.spec?.nodeName === undefined) this.#queue.add(keyOf(pod));
    }
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  /** Something changed that may have made room; who just failed waits a little longer. */
  #retryAll(): void {
    const { clock, timings } = this.#context;
    for (const [key, { retryAt }] of this.#unschedulable) {
      this.#queue.add(key, Math.max(retryAt - clock.now(), timings.reactionMs));
    }
  }

  #schedule(key: string): void {
    const { namespace, name } = splitKey(key);
    const pod = this.#client.find('pods', namespace, name);
    if (pod === undefined || !isOurs(pod)) {
      this.#unschedulable.delete(key);
      return;
    }
    const claims = this.#claims(pod);
    if (typeof claims === 'string') {
      this.#giveUp(key, pod, claims);
      return;
    }
    const candidates = this.#candidates();
    const obstacles = new Map<string, number>();
    const fitting = candidates.filter((candidate) => {
      const reason = obstacle(pod, candidate, candidates, claims.bound);
      if (reason !== undefined) obstacles.set(reason, (obstacles.get(reason) ?? 0) + 1);
      return reason === undefined;
    });
    const node = this.#choose(pod, fitting, claims);
    if (node === undefined) {
      this.#giveUp(key, pod, describe(candidates.length, obstacles));
    } else if (claims.waiting.length > 0) {
      this.#askForVolumes(key, claims.waiting, node.metadata.name);
    } else {
      this.#unschedulable.delete(key);
      this.#client.bind(pod, node.metadata.name);
      const message = `Successfully assigned ${key} to ${node.metadata.name}`;
      this.#events.record(pod, 'Normal', 'Scheduled', message);
    }
  }

  #claims(pod: Pod): Claims | string {
    const bound: PersistentVolume[] = [];
    const waiting: PersistentVolumeClaim[] = [];
    for (const name of claimsOf(pod)) {
      const claim = this.#client.find('persistentvolumeclaims', pod.metadata.namespace, name);
      if (claim === undefined) return `persistentvolumeclaim "${name}" not found`;
      if (claim.metadata.deletionTimestamp !== undefined)
        return `persistentvolumeclaim "${name}" is being deleted`;
      const volumeName = claim.status?.phase === 'Bound' ? claim.spec?.volumeName : undefined;
      if (volumeName === undefined) {
        if (!waitsForConsumer(this.#client, claim)) return 'pod has unbound immediate PersistentVolumeClaims';
        waiting.push(claim);
        continue;
      }
      const volume = this.#client.find('persistentvolumes', undefined, volumeName);
      if (volume === undefined) return `persistentvolume "${volumeName}" not found`;
      bound.push(volume);
    }
    return { bound, waiting };
  }

  #candidates(): readonly Candidate[] {
    const onNode = new Map<string, Pod[]>(this.#client.list('nodes').map((node) => [node.metadata.name, []]));
    for (const pod of this.#client.list('pods')) {
      if (!isFinished(pod)) onNode.get(pod.spec?.nodeName ?? '')?.push(pod);
    }
    return this.#client.list('nodes').map((node) => ({ node, pods: onNode.get(node.metadata.name) ?? [] }));
  }

  /** Fewest pods of the same owner, then fewest pods, then chance; a node that volumes wait for stays the choice. */
  #choose(pod: Pod, fitting: readonly Candidate[], { waiting }: Claims): Node | undefined {
    const asked = waiting.map((claim) => claim.metadata.annotations?.[selectedNodeAnnotation]);
    const kept = fitting.find(({ node }) => asked.includes(node.metadata.name));
    if (kept !== undefined) return kept.node;
    const owner = controllerOf(pod)?.uid;
    const burden = ({ pods }: Candidate): number => {
      const siblings = pods.filter((one) => owner !== undefined && controllerOf(one)?.uid === owner);
      return siblings.length * 1_000 + pods.length;
    };
    const least = Math.min(...fitting.map(burden));
    const best = fitting.filter((candidate) => burden(candidate) === least);
    return pick(this.#context.random, best)?.node;
  }

  /** Tells the provisioner where; the pod is bound once all its claims are. */
  #askForVolumes(key: string, claims: readonly PersistentVolumeClaim[], nodeName: string): void {
    const { clock, timings } = this.#context;
    this.#unschedulable.set(key, { attempts: 0, retryAt: clock.now() });
    for (const claim of claims) {
      if (claim.metadata.annotations?.[selectedNodeAnnotation] === nodeName) continue;
      this.#client.change('persistentvolumeclaims', claim, (draft) => {
        draft.metadata.annotations = { ...draft.metadata.annotations, [selectedNodeAnnotation]: nodeName };
        return true;
      });
    }
    this.#queue.add(key, timings.schedulerMaxBackoffMs);
  }

  #giveUp(key: string, pod: Pod, message: string): void {
    const { clock, timings } = this.#context;
    const attempts = this.#unschedulable.get(key)?.attempts ?? 0;
    const backoffMs = Math.min(timings.schedulerBackoffMs * 2 ** attempts, timings.schedulerMaxBackoffMs);
    this.#unschedulable.set(key, { attempts: attempts + 1, retryAt: clock.now() + backoffMs });
    this.#queue.add(key, retryAnywayMs);
    this.#events.record(pod, 'Warning', 'FailedScheduling', message);
    this.#client.change(
      'pods',
      pod,
      (draft) => {
        const conditions = [...(draft.status?.conditions ?? [])];
        const why = { status: 'False', reason: 'Unschedulable', message } as const;
        const changed = setCondition(conditions, { type: 'PodScheduled', ...why }, clock);
        draft.status = { ...draft.status, conditions };
        return changed;
      },
      'status',
    );
  }
}

function isOurs(pod: Pod): boolean {
  const { nodeName, schedulerName = 'default-scheduler', schedulingGates = [] } = pod.spec ?? {};
  const free = nodeName === undefined && pod.metadata.deletionTimestamp === undefined && !isFinished(pod);
  return free && schedulerName === 'default-scheduler' && schedulingGates.length === 0;
}

/** What of a node matters to scheduling: heartbeats don't. */
function offer(node: Node): string {
  return JSON.stringify([node.spec, node.metadata.labels, node.status?.allocatable]);
}

function describe(nodes: number, obstacles: ReadonlyMap<string, number>): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  const counted = [...obstacles].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodes} nodes are available: ${counted.join(', ')}.`;
}
