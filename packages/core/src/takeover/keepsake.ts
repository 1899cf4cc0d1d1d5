// What an administrator had put on a Node, so that it can be put back when the node registers anew after its deletion.
import type { Node, Taint } from '../kubernetes/objects.ts';

/** Labels, annotations, taints and the cordon of a Node that are nobody's but people's. */
export interface Keepsake {
  /** Those to put back. */
  readonly labels: Readonly<Record<string, string>>;
  /** Those to put back. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Those to put back. */
  readonly taints: readonly Taint[];
  /** Whether it was cordoned. */
  readonly unschedulable: boolean;
}

/**
 * Domains whose keys the kubelet, the cloud provider or a controller writes for itself: the new Node gets its own. The
 * exceptions are what Kubernetes reserves for administrators, and what it forbids a kubelet to set for itself.
 */
const systemDomains = [
  'kubernetes.io',
  'k8s.io',
  'liberator.dev',
  // Networks write each node's addresses here. What the machine had before must not be taken for what it has now.
  'cilium.io',
  'flannel.alpha.coreos.com',
  'k3s.io',
  'projectcalico.org',
  'rke2.io',
];
/** Keys without a domain that are nobody's but a controller's: the autoscaler deletes what carries its marks. */
const controllersKeys = ['ToBeDeletedByClusterAutoscaler', 'DeletionCandidateOfClusterAutoscaler'];
const administratorsDomains = ['node-role.kubernetes.io', 'node-restriction.kubernetes.io'];

function isPeoples(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash < 0) return !controllersKeys.includes(key);
  const domain = key.slice(0, slash);
  if (administratorsDomains.some((one) => domain === one || domain.endsWith(`.${one}`))) return true;
  return !systemDomains.some((one) => domain === one || domain.endsWith(`.${one}`));
}

export function keepsakeOf(node: Node): Keepsake {
  return {
    labels: peoplesOf(node.metadata.labels),
    annotations: peoplesOf(node.metadata.annotations),
    taints: (node.spec?.taints ?? []).filter(({ key }) => isPeoples(key)),
    unschedulable: node.spec?.unschedulable === true,
  };
}

function peoplesOf(map: Readonly<Record<string, string>> | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => isPeoples(key)));
}

/** What has to be added to a Node to have the keepsake back; undefined when it lacks nothing. */
export function missingFrom(node: Node, keepsake: Keepsake): Keepsake | undefined {
  const labels = without(keepsake.labels, node.metadata.labels);
  const annotations = without(keepsake.annotations, node.metadata.annotations);
  // What the new Node says about a key is newer than what the old one said.
  const taints = keepsake.taints.filter(
    ({ key, effect }) => !(node.spec?.taints ?? []).some((one) => one.key === key && one.effect === effect),
  );
  const unschedulable = keepsake.unschedulable && node.spec?.unschedulable !== true;
  const nothing =
    Object.keys(labels).length + Object.keys(annotations).length + taints.length === 0 && !unschedulable;
  return nothing ? undefined : { labels, annotations, taints, unschedulable };
}

function without(
  wanted: Readonly<Record<string, string>>,
  present: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  return Object.fromEntries(Object.entries(wanted).filter(([key]) => !Object.hasOwn(present ?? {}, key)));
}
