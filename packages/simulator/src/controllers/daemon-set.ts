// Keeps one pod on every node that its template may run on; those pods bear every trouble of their node.
import { isFinished, isReady } from './conditions.ts';
import type { ControllerContext } from './controller.ts';
import { mayRunOn } from './placement.ts';
import { podFrom, podsOf } from './pod-template.ts';
import type { DaemonSet, Node, Pod, PodSpec, Toleration } from './wire-objects.ts';
import { WorkloadController } from './workload-controller.ts';

const daemonTolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];

/** The DaemonSet controller, without updates. */
export class DaemonSetController extends WorkloadController<'daemonsets'> {
  constructor(context: ControllerContext) {
    super(context, { workload: 'daemonsets', controlled: 'pods', account: 'daemon-set-controller' });
  }

  protected override watchMore(): readonly (() => void)[] {
    const relevant = (node: Node | undefined): string => JSON.stringify([node?.spec, node?.metadata.labels]);
    return [
      this.client.watch('nodes', ({ type, object, previous }) => {
        if (type !== 'MODIFIED' || relevant(object) !== relevant(previous)) this.lookAtAll();
      }),
    ];
  }

  protected override reconcile(set: DaemonSet): void {
    const spec = daemonSpec(set);
    const all = this.client.list('nodes');
    const nodes = all.filter((node) => mayRunOn(spec, node, ['NoSchedule', 'NoExecute']));
    const pods = podsOf(this.client, set);
    const onNode = new Map(pods.map((pod) => [nodeOf(pod), pod]));
    for (const node of nodes) {
      const pod = onNode.get(node.metadata.name);
      if (pod === undefined) this.#createPod(set, spec, node.metadata.name);
      else if (isFinished(pod)) this.client.delete('pods', pod);
    }
    // What keeps a pod from coming to a node doesn't drive it away.
    const wanted = new Set(
      all.filter((node) => mayRunOn(spec, node, ['NoExecute'])).map((node) => node.metadata.name),
    );
    for (const pod of pods) if (!wanted.has(nodeOf(pod) ?? '')) this.client.delete('pods', pod);
    this.#report(set, wanted);
  }

  /** As in the real one the scheduler binds it; an affinity leaves it a single choice. */
  #createPod(set: DaemonSet, spec: PodSpec, nodeName: string): void {
    const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] };
    const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } };
    this.client.create(
      'pods',
      podFrom(set.spec?.template, set, {
        metadata: { generateName: `${set.metadata.name}-` },
        spec: { ...spec, affinity: { ...spec.affinity, nodeAffinity } },
      }),
    );
  }

  #report(set: DaemonSet, wanted: ReadonlySet<string>): void {
    const pods = podsOf(this.client, set).filter((pod) => wanted.has(nodeOf(pod) ?? ''));
    const ready = pods.filter(isReady).length;
    this.reportStatus(set, {
      desiredNumberScheduled: wanted.size,
      currentNumberScheduled: pods.length,
      updatedNumberScheduled: pods.length,
      numberMisscheduled: 0,
      numberReady: ready,
      numberAvailable: ready,
    });
  }
}

function daemonSpec(set: DaemonSet): PodSpec {
  const spec = set.spec?.template?.spec ?? {};
  return { ...spec, tolerations: [...(spec.tolerations ?? []), ...daemonTolerations] };
}

/** Where a pod runs, or where its affinity will have it run. */
function nodeOf(pod: Pod): string | undefined {
  if (pod.spec?.nodeName !== undefined) return pod.spec.nodeName;
  const terms =
    pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms?.[0]?.matchFields?.[0]?.values?.[0];
}
