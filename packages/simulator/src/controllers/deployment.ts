// Keeps one ReplicaSet for each template: the current one at full size, older ones shrunk as the new one gets Ready.

import type { Controller, ControllerContext } from './controller.ts';
import { ControllerClient } from './controller-client.ts';
import { controlledBy, controllerOf, templateHash } from './pod-template.ts';
import type { Deployment, ReplicaSet } from './wire-objects.ts';
import { keyOf, splitKey, WorkQueue } from './work-queue.ts';

const hashLabel = 'pod-template-hash';

/** The Deployment controller, without the finer points of surge and history. */
export class DeploymentController implements Controller {
  readonly #client: ControllerClient;
  readonly #queue: WorkQueue;
  readonly #ends: (() => void)[] = [];

  constructor(context: ControllerContext) {
    this.#client = new ControllerClient(
      context.store,
      'system:serviceaccount:kube-system:deployment-controller',
    );
    this.#queue = new WorkQueue(context, 'deployment', (key) => this.#reconcile(key));
  }

  start(): void {
    this.#ends.push(
      this.#client.watch('deployments', ({ object }) => this.#queue.add(keyOf(object))),
      this.#client.watch('replicasets', ({ object }) => {
        const owner = controllerOf(object);
        if (owner?.kind === 'Deployment') this.#queue.add(`${object.metadata.namespace}/${owner.name}`);
      }),
    );
    for (const deployment of this.#client.list('deployments')) this.#queue.add(keyOf(deployment));
  }

  stop(): void {
    for (const end of this.#ends.splice(0)) end();
    this.#queue.stop();
  }

  #reconcile(key: string): void {
    const { namespace, name } = splitKey(key);
    const deployment = this.#client.find('deployments', namespace, name);
    if (deployment === undefined || deployment.metadata.deletionTimestamp !== undefined) return;
    const replicas = deployment.spec?.replicas ?? 1;
    const current = this.#currentSet(deployment, replicas);
    this.#scale(current, replicas);
    const ready = current.status?.readyReplicas ?? 0;
    const older = this.#setsOf(deployment).filter((set) => set.metadata.uid !== current.metadata.uid);
    // What is Ready in the new set needn't be kept in the old ones.
    let keep = Math.max(0, replicas - ready);
    for (const set of older) {
      const size = Math.min(set.spec?.replicas ?? 0, keep);
      keep -= size;
      this.#scale(set, size);
    }
    this.#reportStatus(deployment, current, replicas);
  }

  #currentSet(deployment: Deployment, replicas: number): ReplicaSet {
    const { name, namespace } = deployment.metadata;
    const template = deployment.spec?.template;
    const hash = templateHash(template);
    const setName = `${name}-${hash}`;
    const known = this.#client.find('replicasets', namespace, setName);
    if (known !== undefined) return known;
    const labels = { ...template?.metadata?.labels, [hashLabel]: hash };
    return this.#client.create('replicasets', {
      metadata: { name: setName, namespace, labels, ownerReferences: [controlledBy(deployment)] },
      spec: {
        replicas,
        selector: {
          ...deployment.spec?.selector,
          matchLabels: { ...deployment.spec?.selector?.matchLabels, [hashLabel]: hash },
        },
        template: { ...template, metadata: { ...template?.metadata, labels } },
      },
    });
  }

  #setsOf(deployment: Deployment): readonly ReplicaSet[] {
    const { namespace, uid } = deployment.metadata;
    const sets = this.#client.list('replicasets', namespace === undefined ? {} : { namespace });
    return sets.filter((set) => controllerOf(set)?.uid === uid);
  }

  #scale(set: ReplicaSet, replicas: number): void {
    if (set.spec?.replicas === replicas) return;
    this.#client.change('replicasets', set, (draft) => {
      draft.spec = { ...draft.spec, replicas };
      return true;
    });
  }

  #reportStatus(deployment: Deployment, current: ReplicaSet, wanted: number): void {
    const sets = this.#setsOf(deployment);
    const sum = (field: 'replicas' | 'readyReplicas'): number =>
      sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
    const ready = sum('readyReplicas');
    this.#client.change(
      'deployments',
      deployment,
      (draft) => {
        draft.status = {
          ...draft.status,
          replicas: sum('replicas'),
          updatedReplicas: current.status?.replicas ?? 0,
          readyReplicas: ready,
          availableReplicas: ready,
          unavailableReplicas: Math.max(0, wanted - ready),
          ...(deployment.metadata.generation === undefined
            ? {}
            : { observedGeneration: deployment.metadata.generation }),
        };
        return true;
      },
      'status',
    );
  }
}
