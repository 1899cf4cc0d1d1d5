// Deletes pods that don't tolerate a NoExecute taint of their node, or no longer do.
import type { TimerHandle } from '@liberator/core';
import { setCondition } from './conditions.ts';
import { type Controller, type ControllerContext, isRefusal } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { EventRecorder } from './event-recorder.ts';
import { taintsOf, tolerates } from './taints.ts';
import type { Node, Pod, Taint, Toleration } from './wire-objects.ts';
import { WorkQueue } from './work-queue.ts';

const user = 'system:serviceaccount:kube-system:node-controller';

interface Eviction {
  readonly startedAt: number;
  readonly timer: TimerHandle;
}

/**
 * How long a pod may stay with these taints, in milliseconds: 0 when it tolerates one of them not at all, Infinity
 * when it tolerates all of them for ever, otherwise its shortest toleration.
 */
export function toleratedMs(taints: readonly Taint[], tolerations: readonly Toleration[] = []): number {
  let shortest = Number.POSITIVE_INFINITY;
  for (const taint of taints) {
    const fitting = tolerations.filter((toleration) => tolerates(toleration, taint));
    if (fitting.length === 0) return 0;
    for (const { tolerationSeconds } of fitting) {
      if (tolerationSeconds !== undefined)
        shortest = Math.min(shortest, Math.max(tolerationSeconds, 0) * 1_000);
    }
  }
  return shortest;
}

/** Keeps a timer for each pod that has to go, from the moment at which its node's taints first asked for it. */
export class TaintEviction implements Controller {
  readonly #context: ControllerContext;
  readonly #client: ControllerClient;
  readonly #events: EventRecorder;
  readonly #queue: WorkQueue;
  readonly #evictions = new Map<string, Eviction>();
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    this.#client = new ControllerClient(context.store, user);
    this.#events = new EventRecorder(context, user, 'taint-eviction-controller');
    this.#queue = new WorkQueue(context, 'taint eviction', (nodeName) => this.#lookAt(nodeName));
  }

  start(): void {
    this.#ends.push(
      this.#client.watch('nodes', ({ object, previous }) => {
        if (noExecute(object).length > 0 || noExecute(previous).length > 0)
          this.#queue.add(object.metadata.name);
      }),
      this.#client.watch('pods', ({ type, object }) => {
        if (type === 'DELETED') this.#cancel(object.metadata.uid);
        else if (object.spec?.nodeName !== undefined) this.#lookAtPod(object);
      }),
    );
    for (const node of this.#client.list('nodes')) this.#queue.add(node.metadata.name);
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
    for (const uid of [...this.#evictions.keys()]) this.#cancel(uid);
  }

  #lookAt(nodeName: string): void {
    const taints = noExecute(this.#client.find('nodes', undefined, nodeName));
    for (const pod of this.#client.list('pods', { fieldSelector: `spec.nodeName=${nodeName}` })) {
      this.#judge(pod, taints);
    }
  }

  #lookAtPod(pod: Pod): void {
    const taints = noExecute(this.#client.find('nodes', undefined, pod.spec?.nodeName ?? ''));
    if (taints.length > 0) this.#judge(pod, taints);
  }

  #judge(pod: Pod, taints: readonly Taint[]): void {
    const { clock } = this.#context;
    const { uid, deletionTimestamp } = pod.metadata;
    const mayStayMs =
      taints.length === 0 ? Number.POSITIVE_INFINITY : toleratedMs(taints, pod.spec?.tolerations);
    if (deletionTimestamp !== undefined || mayStayMs === Number.POSITIVE_INFINITY) {
      this.#cancel(uid);
      return;
    }
    const now = clock.now();
    const known = this.#evictions.get(uid);
    const startedAt = mayStayMs === 0 ? now : (known?.startedAt ?? now);
    this.#cancel(uid);
    const timer = clock.setTimeout(() => this.#evict(pod), startedAt + mayStayMs - now);
    this.#evictions.set(uid, { startedAt, timer });
  }

  #evict(pod: Pod): void {
    this.#evictions.delete(pod.metadata.uid);
    try {
      this.#events.record(
        pod,
        'Normal',
        'TaintManagerEviction',
        `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`,
      );
      this.#client.change(
        'pods',
        pod,
        (draft) => {
          const conditions = [...(draft.status?.conditions ?? [])];
          const because = 'Taint manager: deleting due to NoExecute taint';
          setCondition(
            conditions,
            { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager', message: because },
            this.#context.clock,
          );
          draft.status = { ...draft.status, conditions };
          return true;
        },
        'status',
      );
      this.#client.delete('pods', pod);
    } catch (error) {
      // Refused by somebody's policy: a real one tries five times within a second, and gives up.
      if (!isRefusal(error)) this.#context.report(error, `taint eviction of ${pod.metadata.name}`);
    }
  }

  #cancel(uid: string): void {
    this.#context.clock.clearTimeout(this.#evictions.get(uid)?.timer);
    this.#evictions.delete(uid);
  }
}

function noExecute(node: Node | undefined): readonly Taint[] {
  return taintsOf(node).filter((taint) => taint.effect === 'NoExecute');
}
