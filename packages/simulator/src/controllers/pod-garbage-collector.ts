// Frees pods whose node is gone or is declared out of service, and those deleted before they had a node.
import { isReady, setCondition } from './conditions.ts';
import { type Controller, type ControllerContext, every, isRefusal } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { hasTaint, outOfServiceTaint } from './taints.ts';
import type { Node, Pod } from './wire-objects.ts';

/**
 * How many quarantines are noticed to be over just after a tick instead of just before. On a real control plane hardly any
 * (none of 120 that were watched, half of them on a busy machine); here enough that whoever relies on the sooner is found out.
 */
const lateOnes = 0.1;
/** By how much, as a part of the quarantine. */
const race = 1e-4;

/**
 * Ticks every 20 s. A pod on a missing Node goes at the first tick after a quarantine of 40 s, which begins at the tick that
 * missed the Node first, hence 40 to 60 s after the deletion. But the quarantine ends in the same instant in which the
 * second tick from then begins, and another thread notices that: where it comes late, the pod goes one tick later, up to
 * 80 s after the deletion.
 */
export class PodGarbageCollector implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  /** When each missing Node may be believed to be gone. */
  readonly #quarantine = new Map<string, number>();
  #end: (() => void) | undefined;

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(
      context.store,
      'system:serviceaccount:kube-system:pod-garbage-collector',
    );
  }

  start(): void {
    this.#end = every(this.#context, this.#context.timings.podGcMs, 'pod garbage collector', () =>
      this.#collect(),
    );
  }

  stop(): void {
    this.#end?.();
  }

  #collect(): void {
    const pods = this.#client.list('pods');
    const nodes = new Map(this.#client.list('nodes').map((node) => [node.metadata.name, node]));
    for (const pod of pods) {
      if (pod.metadata.deletionTimestamp === undefined) continue;
      const { nodeName } = pod.spec ?? {};
      if (nodeName === undefined) this.#release(pod, undefined);
      else if (isOutOfService(nodes.get(nodeName))) this.#release(pod, undefined);
    }
    this.#collectOrphans(pods, nodes);
  }

  #collectOrphans(pods: readonly Pod[], nodes: ReadonlyMap<string, Node>): void {
    const { clock, random, timings } = this.#context;
    const now = clock.now();
    const orphans = pods.filter(({ spec }) => spec?.nodeName !== undefined && !nodes.has(spec.nodeName));
    const missing = new Set(orphans.map((pod) => pod.spec?.nodeName ?? ''));
    for (const name of this.#quarantine.keys()) if (!missing.has(name)) this.#quarantine.delete(name);
    for (const name of missing) {
      if (this.#quarantine.has(name)) continue;
      const noticed = random.next() < lateOnes ? 1 + race : 1 - race;
      this.#quarantine.set(name, now + timings.podGcQuarantineMs * noticed);
    }
    for (const pod of orphans) {
      const believedAt = this.#quarantine.get(pod.spec?.nodeName ?? '') ?? Number.POSITIVE_INFINITY;
      if (believedAt <= now) this.#release(pod, 'PodGC: node no longer exists');
    }
  }

  /** Declares the pod failed and removes it, whatever its kubelet would say. */
  #release(pod: Pod, disruption: string | undefined): void {
    try {
      this.#client.change(
        'pods',
        pod,
        (draft) => {
          const conditions = [...(draft.status?.conditions ?? [])];
          if (disruption !== undefined) {
            const target = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' } as const;
            setCondition(conditions, { ...target, message: disruption }, this.#context.clock);
          }
          const finished = draft.status?.phase === 'Succeeded' || draft.status?.phase === 'Failed';
          draft.status = { ...draft.status, conditions, ...(finished ? {} : { phase: 'Failed' }) };
          return true;
        },
        'status',
      );
      this.#client.delete('pods', pod, { gracePeriodSeconds: 0 });
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
}

/** A node that reports Ready is not out of service, whatever its taints say. */
function isOutOfService(node: Node | undefined): boolean {
  return node !== undefined && hasTaint(node, outOfServiceTaint) && !isReady(node);
}
