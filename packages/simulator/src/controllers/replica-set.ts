// Keeps a number of interchangeable pods; one that is Terminating counts no more, so its replacement comes at once.
import { isFinished, isReady, isRunningAndReady } from './conditions.ts';
import type { Controller, ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { controllerOf, podFrom, podsOf } from './pod-template.ts';
import type { Pod, ReplicaSet } from './wire-objects.ts';
import { keyOf, splitKey, WorkQueue } from './work-queue.ts';

/** The ReplicaSet controller. */
export class ReplicaSetController implements Controller {
  readonly #client: ControllerClient;
  readonly #queue: WorkQueue;
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#client = new ControllerClient(
      context.store,
      'system:serviceaccount:kube-system:replicaset-controller',
    );
    this.#queue = new WorkQueue(context, 'replica set', (key) => this.#reconcile(key));
  }

  start(): void {
    this.#ends.push(
      this.#client.watch('replicasets', ({ object }) => this.#queue.add(keyOf(object))),
      this.#client.watch('pods', ({ object }) => {
        const owner = controllerOf(object);
        if (owner?.kind === 'ReplicaSet') this.#queue.add(`${object.metadata.namespace}/${owner.name}`);
      }),
    );
    for (const set of this.#client.list('replicasets')) this.#queue.add(keyOf(set));
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  #reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const set = this.#client.find('replicasets', namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const active = podsOf(this.#client, set).filter(isActive);
    const missing = (set.spec?.replicas ?? 1) - active.length;
    for (let created = 0; created < missing; created++) {
      const generateName = `${name}-`;
      this.#client.create('pods', podFrom(set.spec?.template, set, { metadata: { generateName } }));
    }
    for (const pod of [...active].sort(leastUseful).slice(0, Math.max(0, -missing))) {
      this.#client.delete('pods', pod);
    }
    this.#reportStatus(set);
  }

  #reportStatus(set: ReplicaSet): void {
    const active = podsOf(this.#client, set).filter(isActive);
    const ready = active.filter(isRunningAndReady).length;
    this.#client.change(
      'replicasets',
      set,
      (draft) => {
        draft.status = {
          ...draft.status,
          replicas: active.length,
          fullyLabeledReplicas: active.length,
          readyReplicas: ready,
          availableReplicas: ready,
          ...(set.metadata.generation === undefined ? {} : { observedGeneration: set.metadata.generation }),
        };
        return true;
      },
      'status',
    );
  }
}

const isActive = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && !isFinished(pod);

/** Pods that are not bound go first, then those not Ready, then the younger ones. */
function leastUseful(a: Pod, b: Pod): number {
  const rank = (pod: Pod): number => (pod.spec?.nodeName === undefined ? 0 : isReady(pod) ? 2 : 1);
  const age = (pod: Pod): string => pod.metadata.creationTimestamp ?? '';
  return rank(a) - rank(b) || age(b).localeCompare(age(a)) || a.metadata.name.localeCompare(b.metadata.name);
}
