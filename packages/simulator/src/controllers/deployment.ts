// Keeps one ReplicaSet for each template: the current one at full size, older ones shrunk as the new one gets Ready.
import type { ControllerContext } from './controller.ts';
import { controlledBy, controllerOf, templateHash } from './pod-template.ts';
import type { Deployment, ReplicaSet } from './wire-objects.ts';
import { WorkloadController } from './workload-controller.ts';

const hashLabel = 'pod-template-hash';

/** The Deployment controller, without the finer points of surge and history. */
export class DeploymentController extends WorkloadController<'deployments'> {
  constructor(context: ControllerContext) {
    super(context, {
      workload: 'deployments',
      controlled: 'replicasets',
      account: 'deployment-controller',
    });
  }

  protected override reconcile(deployment: Deployment): void {
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
    this.#report(deployment, current, replicas);
  }

  #currentSet(deployment: Deployment, replicas: number): ReplicaSet {
    const { name, namespace } = deployment.metadata;
    const template = deployment.spec?.template;
    const hash = templateHash(template);
    const setName = `${name}-${hash}`;
    const known = this.client.find('replicasets', namespace, setName);
    if (known !== undefined) return known;
    const labels = { ...template?.metadata?.labels, [hashLabel]: hash };
    return this.client.create('replicasets', {
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
    const sets = this.client.list('replicasets', namespace === undefined ? {} : { namespace });
    return sets.filter((set) => controllerOf(set)?.uid === uid);
  }

  #scale(set: ReplicaSet, replicas: number): void {
    if (set.spec?.replicas === replicas) return;
    this.client.change('replicasets', set, (draft) => {
      draft.spec = { ...draft.spec, replicas };
      return true;
    });
  }

  #report(deployment: Deployment, current: ReplicaSet, wanted: number): void {
    const sets = this.#setsOf(deployment);
    const sum = (field: 'replicas' | 'readyReplicas'): number =>
      sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
    const ready = sum('readyReplicas');
    this.reportStatus(deployment, {
      replicas: sum('replicas'),
      updatedReplicas: current.status?.replicas ?? 0,
      readyReplicas: ready,
      availableReplicas: ready,
      unavailableReplicas: Math.max(0, wanted - ready),
    });
  }
}
