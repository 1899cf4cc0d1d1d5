// Where this replica runs, and whether another one could lead in its place, by the pods of its own workload.
import { type Controller, type KubernetesReader, pods, type Self } from '@liberator/core';

export interface OtherReplicasOptions {
  readonly reader: Pick<KubernetesReader, 'list'>;
  readonly namespace: string;
  /** Name of our own pod: `POD_NAME`. */
  readonly pod: string;
  /** Name of the Node that it runs on: `NODE_NAME`. */
  readonly node: string;
  /** What is known of nodes: a pod on one that is dead is as Ready as it was. */
  readonly fleet: () => Controller['fleet'];
}

type Pod = Awaited<ReturnType<typeof listPods>>[number];

/** What tells the replicas of one workload, of whatever version of it. */
const ownLabels = ['app.kubernetes.io/name', 'app.kubernetes.io/instance'] as const;

/** Undefined where the manifest doesn't say which pod and node these are. */
export function otherReplicas(
  options: Omit<OtherReplicasOptions, 'pod' | 'node'>,
  env: NodeJS.ProcessEnv,
): Self | undefined {
  const { POD_NAME: pod, NODE_NAME: node } = env;
  if (!pod || !node) return undefined;
  return { nodeName: node, othersReady: () => anotherIsReady({ ...options, pod, node }) };
}

async function listPods({ reader, namespace }: Pick<OtherReplicasOptions, 'reader' | 'namespace'>) {
  const { items } = await reader.list(pods, { namespace, attempts: 1 });
  return items;
}

async function anotherIsReady(options: OtherReplicasOptions): Promise<boolean> {
  const all = await listPods(options);
  const own = all.find(({ metadata }) => metadata.name === options.pod);
  if (own === undefined) return false;
  const { nodes } = options.fleet();
  return all.some((pod) => {
    const on = pod.spec?.nodeName;
    if (on === undefined || on === options.node || !isSibling(own, pod) || !isReady(pod)) return false;
    return nodes.get(on)?.health === 'alive';
  });
}

/** Of the same controller, or of the same application where a new version of it has another one. */
function isSibling({ metadata: own }: Pod, { metadata: other }: Pod): boolean {
  if (own.uid === other.uid) return false;
  const [owner, others] = [own, other].map(({ ownerReferences = [] }) =>
    ownerReferences.find(({ controller }) => controller),
  );
  if (owner !== undefined && owner.uid === others?.uid) return true;
  return ownLabels.every((key) => own.labels?.[key] !== undefined && own.labels[key] === other.labels?.[key]);
}

function isReady({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
}
