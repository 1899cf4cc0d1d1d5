// Gives each pod an identity and a volume of its own, and never lets two pods have the same identity.
import { isFinished, isRunningAndReady } from './conditions.ts';
import type { ControllerContext } from './controller.ts';
import { EventRecorder } from './event-recorder.ts';
import { podFrom, podsOf, templateHash } from './pod-template.ts';
import type { Pod, StatefulSet, VolumeClaimTemplate } from './wire-objects.ts';
import { WorkloadController } from './workload-controller.ts';

const account = 'statefulset-controller';
const revisionLabel = 'controller-revision-hash';

/**
 * A pod that is Terminating still has its identity: its place stays empty until the pod is gone from the API, however
 * long that takes. That one rule is why a dead node needs somebody's help.
 */
export class StatefulSetController extends WorkloadController<'statefulsets'> {
  readonly #events: EventRecorder;

  constructor(context: ControllerContext) {
    super(context, { workload: 'statefulsets', controlled: 'pods', account });
    this.#events = new EventRecorder(context, this.user, account);
  }

  protected override reconcile(set: StatefulSet): void {
    const revision = `${set.metadata.name}-${templateHash(set.spec?.template)}`;
    try {
      this.#act(set, revision);
    } finally {
      this.#report(set, revision);
    }
  }

  /** In order, one step at a time, unless the policy is Parallel. */
  #act(set: StatefulSet, revision: string): void {
    const parallel = set.spec?.podManagementPolicy === 'Parallel';
    const first = set.spec?.ordinals?.start ?? 0;
    const count = set.spec?.replicas ?? 1;
    const pods = new Map(podsOf(this.client, set).map((pod) => [ordinalOf(set, pod), pod]));
    for (let ordinal = first; ordinal < first + count; ordinal++) {
      const settled = this.#fill(set, ordinal, pods.get(ordinal), revision);
      if (!settled && !parallel) return;
    }
    const surplus = [...pods].filter(([ordinal]) => ordinal < first || ordinal >= first + count);
    for (const [, pod] of surplus.sort(([a], [b]) => b - a)) {
      this.#deletePod(set, pod);
      if (!parallel) return;
    }
    this.#rollOut(set, revision, pods, first, count);
  }

  /** Returns whether the place is filled by a pod that runs and is Ready, so that the next one may come. */
  #fill(set: StatefulSet, ordinal: number, pod: Pod | undefined, revision: string): boolean {
    if (pod === undefined) {
      this.#createPod(set, ordinal, revision);
      return false;
    }
    if (pod.metadata.deletionTimestamp !== undefined) return false;
    if (isFinished(pod)) {
      // A failed pod is replaced under the same name, once it is gone.
      this.#deletePod(set, pod);
      return false;
    }
    return isRunningAndReady(pod);
  }

  /** Replaces pods of an older template from the top, each after the one above it is Ready. */
  #rollOut(
    set: StatefulSet,
    revision: string,
    pods: ReadonlyMap<number, Pod>,
    first: number,
    count: number,
  ): void {
    const { type, rollingUpdate } = set.spec?.updateStrategy ?? {};
    if (type === 'OnDelete') return;
    const lowest = first + (rollingUpdate?.partition ?? 0);
    for (let ordinal = first + count - 1; ordinal >= lowest; ordinal--) {
      const pod = pods.get(ordinal);
      if (pod === undefined || pod.metadata.deletionTimestamp !== undefined) return;
      if (pod.metadata.labels?.[revisionLabel] !== revision) {
        this.#deletePod(set, pod);
        return;
      }
      if (!isRunningAndReady(pod)) return;
    }
  }

  #createPod(set: StatefulSet, ordinal: number, revision: string): void {
    const { name } = set.metadata;
    const podName = `${name}-${ordinal}`;
    const templates = set.spec?.volumeClaimTemplates ?? [];
    for (const template of templates) this.#createClaim(set, template, podName);
    const claims = templates.map((template) => ({
      name: template.metadata?.name ?? '',
      persistentVolumeClaim: { claimName: claimName(template, podName) },
    }));
    const others = (set.spec?.template?.spec?.volumes ?? []).filter(
      (volume) => !claims.some((claim) => claim.name === volume.name),
    );
    const subdomain = set.spec?.serviceName ?? '';
    const pod = podFrom(set.spec?.template, set, {
      metadata: { name: podName, generateName: `${name}-` },
      labels: {
        [revisionLabel]: revision,
        'statefulset.kubernetes.io/pod-name': podName,
        'apps.kubernetes.io/pod-index': String(ordinal),
      },
      spec: {
        hostname: podName,
        ...(subdomain === '' ? {} : { subdomain }),
        ...(claims.length + others.length === 0 ? {} : { volumes: [...others, ...claims] }),
      },
    });
    this.client.create('pods', pod);
    const message = `Create Pod ${podName} in StatefulSet ${name} successful`;
    this.#events.record(set, 'Normal', 'SuccessfulCreate', message);
  }

  /** Claims outlive their pods: the next pod of the same identity finds its data. */
  #createClaim(set: StatefulSet, template: VolumeClaimTemplate, podName: string): void {
    const { namespace } = set.metadata;
    const name = claimName(template, podName);
    if (this.client.find('persistentvolumeclaims', namespace, name) !== undefined) return;
    this.client.create('persistentvolumeclaims', {
      metadata: {
        name,
        namespace,
        labels: { ...template.metadata?.labels, ...set.spec?.selector?.matchLabels },
        ...(template.metadata?.annotations === undefined
          ? {}
          : { annotations: template.metadata.annotations }),
      },
      spec: template.spec,
    });
  }

  #deletePod(set: StatefulSet, pod: Pod): void {
    if (pod.metadata.deletionTimestamp !== undefined) return;
    this.client.delete('pods', pod);
    const message = `Delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
    this.#events.record(set, 'Normal', 'SuccessfulDelete', message);
  }

  #report(set: StatefulSet, updateRevision: string): void {
    const pods = podsOf(this.client, set);
    const replicas = pods.length;
    const ready = pods.filter(isRunningAndReady).length;
    const living = pods.filter((pod) => pod.metadata.deletionTimestamp === undefined);
    const ofRevision = (revision: string | undefined): number =>
      living.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length;
    const updated = ofRevision(updateRevision);
    const done = updated === replicas && ready === replicas;
    const before = set.status?.currentRevision ?? updateRevision;
    const currentRevision = done ? updateRevision : before;
    this.reportStatus(set, {
      replicas,
      readyReplicas: ready,
      availableReplicas: ready,
      currentReplicas: ofRevision(currentRevision),
      updatedReplicas: updated,
      currentRevision,
      updateRevision,
      collisionCount: 0,
    });
  }
}

function claimName(template: VolumeClaimTemplate, podName: string): string {
  return `${template.metadata?.name}-${podName}`;
}

/** The number at the end of the pod's name; -1 for a pod that the set adopted under some other name. */
function ordinalOf(set: StatefulSet, pod: Pod): number {
  const suffix = pod.metadata.name.slice(set.metadata.name.length + 1);
  return /^\d+$/.test(suffix) ? Number(suffix) : -1;
}
