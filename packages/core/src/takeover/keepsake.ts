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
  'x-k8s.io',
  'liberator.dev',
  // Networks write each node's addresses here. What the machine had before must not be taken for what it has now.
  'antrea.io',
  'cilium.io',
  'flannel.alpha.coreos.com',
  'k3s.io',
  'k8s.ovn.org',
  'projectcalico.org',
  'rke2.io',
  'submariner.io',
  // Clouds, and what manages machines, configures them or repairs them: what it says of one machine is its own to say.
  'amazonaws.com',
  'k8s.aws',
  'azure.com',
  'cattle.io',
  'cloud.google.com',
  'container.googleapis.com',
  'karpenter.sh',
  'medik8s.io',
  'metal3.io',
  'openshift.io',
  'weave.works',
];
/** Parts of a domain under which a storage driver writes where a machine is. */
const placesWords = ['csi', 'topology'];
/** Keys without a domain that are nobody's but a controller's: the autoscaler deletes what carries its marks. */
const controllersKeys = ['ToBeDeletedByClusterAutoscaler', 'DeletionCandidateOfClusterAutoscaler'];
const administratorsDomains = ['node-role.kubernetes.io', 'node-restriction.kubernetes.io'];

/**
 * Taints that only people put on: those that Kubernetes reserves for administrators, and those without a domain, since a
 * controller has one by convention.
 */
export const defaultRestoredTaints: readonly string[] = [
  '*',
  ...administratorsDomains.map((domain) => `${domain}/*`),
];

function isPeoples(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash < 0) return !controllersKeys.includes(key);
  const domain = key.slice(0, slash);
  if (administratorsDomains.some((one) => domain === one || domain.endsWith(`.${one}`))) return true;
  if (domain.split('.').some((part) => placesWords.includes(part))) return false;
  return !systemDomains.some((one) => domain === one || domain.endsWith(`.${one}`));
}

/**
 * What of a keepsake may be put back: of its taints only those that are allowed. A taint keeps pods away, and one that a
 * controller put on a machine for a while would do so for good on a machine that it no longer looks at.
 */
export function restorable(keepsake: Keepsake, allowedTaints: readonly string[]): Keepsake {
  const taints = keepsake.taints.filter(({ key }) => isPeoples(key) && isAllowed(key, allowedTaints));
  return { ...keepsake, taints };
}

function isAllowed(key: string, allowed: readonly string[]): boolean {
  const slash = key.indexOf('/');
  return allowed.includes(key) || allowed.includes(slash < 0 ? '*' : `${key.slice(0, slash)}/*`);
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
