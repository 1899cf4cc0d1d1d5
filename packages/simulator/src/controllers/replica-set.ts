// Keeps a number of interchangeable pods; one that is Terminating counts no more, so its replacement comes at once.
import { isFinished, isReady, isRunningAndReady } from './conditions.ts';
import type { ControllerContext } from './controller.ts';
import { podFrom, podsOf } from './pod-template.ts';
import type { Pod, ReplicaSet } from './wire-objects.ts';
import { WorkloadController } from './workload-controller.ts';

/** The ReplicaSet controller. */
export class ReplicaSetController extends WorkloadController<'replicasets'> {
  constructor(context: ControllerContext) {
    super(context, { workload: 'replicasets', controlled: 'pods', account: 'replicaset-controller' });
  }

  protected override reconcile(set: ReplicaSet): void {
    const active = podsOf(this.client, set).filter(isActive);
    const missing = (set.spec?.replicas ?? 1) - active.length;
    for (let created = 0; created < missing; created++) {
      const generateName = `${set.metadata.name}-`;
      this.client.create('pods', podFrom(set.spec?.template, set, { metadata: { generateName } }));
    }
    for (const pod of [...active].sort(leastUseful).slice(0, Math.max(0, -missing))) {
      this.client.delete('pods', pod);
    }
    const now = podsOf(this.client, set).filter(isActive);
    const ready = now.filter(isRunningAndReady).length;
    this.reportStatus(set, {
      replicas: now.length,
      fullyLabeledReplicas: now.length,
      readyReplicas: ready,
      availableReplicas: ready,
    });
  }
}

const isActive = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && !isFinished(pod);

/** Pods that are not bound go first, then those not Ready, then the younger ones. */
function leastUseful(a: Pod, b: Pod): number {
  const rank = (pod: Pod): number => (pod.spec?.nodeName === undefined ? 0 : isReady(pod) ? 2 : 1);
  const age = (pod: Pod): string => pod.metadata.creationTimestamp ?? '';
  return rank(a) - rank(b) || age(b).localeCompare(age(a)) || a.metadata.name.localeCompare(b.metadata.name);
}
