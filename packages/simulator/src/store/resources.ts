// Which kinds of objects there are, and how the real server treats each: the table that everything else looks up.
import type { ResourceType } from './store.ts';

/** A {@link ResourceType} with what only the server itself needs to know about it. */
export interface ServedResource extends ResourceType {
  /** As `kubectl` takes them: `sts`. */
  readonly shortNames: readonly string[];
  /** Whether `metadata.generation` counts the changes of `spec`. */
  readonly generation: boolean;
  /** Whether PUT must name a resourceVersion. */
  readonly conditionalUpdate: boolean;
  /** Whether PUT creates what isn't there. */
  readonly createOnUpdate: boolean;
  /** Whether DELETE answers with the object rather than with a Status. */
  readonly returnsDeleted: boolean;
  /** Subresources apart from `status`. */
  readonly subresources: readonly string[];
}

type Traits = Partial<Omit<ServedResource, keyof ResourceType>> & { readonly statusSubresource?: boolean };

const resource =
  (group: string, version: string, namespaced: boolean) =>
  (plural: string, kind: string, traits: Traits = {}): ServedResource => ({
    group,
    version,
    plural,
    kind,
    namespaced,
    statusSubresource: false,
    shortNames: [],
    generation: false,
    conditionalUpdate: false,
    createOnUpdate: false,
    returnsDeleted: false,
    subresources: [],
    ...traits,
  });

const core = resource('', 'v1', true);
const coreCluster = resource('', 'v1', false);
const apps = resource('apps', 'v1', true);
const storage = resource('storage.k8s.io', 'v1', false);
const withStatus = { statusSubresource: true };
const workload = { statusSubresource: true, generation: true };

/** All kinds that the simulator serves, by plural. */
export type Plural =
  | 'namespaces'
  | 'nodes'
  | 'pods'
  | 'services'
  | 'configmaps'
  | 'secrets'
  | 'events'
  | 'serviceaccounts'
  | 'persistentvolumeclaims'
  | 'persistentvolumes'
  | 'statefulsets'
  | 'deployments'
  | 'replicasets'
  | 'daemonsets'
  | 'controllerrevisions'
  | 'leases'
  | 'volumeattachments'
  | 'csidrivers'
  | 'csinodes'
  | 'storageclasses'
  | 'poddisruptionbudgets';

/** The kinds by plural: `resources.statefulsets`. */
export const resources: { readonly [plural in Plural]: ServedResource } = {
  namespaces: coreCluster('namespaces', 'Namespace', {
    ...withStatus,
    shortNames: ['ns'],
    returnsDeleted: true,
    subresources: ['finalize'],
  }),
  nodes: coreCluster('nodes', 'Node', { ...withStatus, shortNames: ['no'] }),
  pods: core('pods', 'Pod', {
    ...workload,
    shortNames: ['po'],
    returnsDeleted: true,
    subresources: ['binding', 'eviction'],
  }),
  services: core('services', 'Service', {
    ...withStatus,
    shortNames: ['svc'],
    createOnUpdate: true,
    returnsDeleted: true,
  }),
  configmaps: core('configmaps', 'ConfigMap', { shortNames: ['cm'] }),
  secrets: core('secrets', 'Secret'),
  events: core('events', 'Event', { shortNames: ['ev'], createOnUpdate: true }),
  serviceaccounts: core('serviceaccounts', 'ServiceAccount', { shortNames: ['sa'], returnsDeleted: true }),
  persistentvolumeclaims: core('persistentvolumeclaims', 'PersistentVolumeClaim', {
    ...withStatus,
    shortNames: ['pvc'],
    returnsDeleted: true,
  }),
  persistentvolumes: coreCluster('persistentvolumes', 'PersistentVolume', {
    ...withStatus,
    shortNames: ['pv'],
    returnsDeleted: true,
  }),
  statefulsets: apps('statefulsets', 'StatefulSet', { ...workload, shortNames: ['sts'] }),
  deployments: apps('deployments', 'Deployment', { ...workload, shortNames: ['deploy'] }),
  replicasets: apps('replicasets', 'ReplicaSet', { ...workload, shortNames: ['rs'] }),
  daemonsets: apps('daemonsets', 'DaemonSet', { ...workload, shortNames: ['ds'] }),
  controllerrevisions: apps('controllerrevisions', 'ControllerRevision'),
  leases: resource('coordination.k8s.io', 'v1', true)('leases', 'Lease', {
    conditionalUpdate: true,
    createOnUpdate: true,
  }),
  volumeattachments: storage('volumeattachments', 'VolumeAttachment', {
    ...withStatus,
    conditionalUpdate: true,
    returnsDeleted: true,
  }),
  csidrivers: storage('csidrivers', 'CSIDriver', { conditionalUpdate: true, returnsDeleted: true }),
  csinodes: storage('csinodes', 'CSINode', { conditionalUpdate: true, returnsDeleted: true }),
  storageclasses: storage('storageclasses', 'StorageClass', { shortNames: ['sc'], returnsDeleted: true }),
  poddisruptionbudgets: resource('policy', 'v1', true)('poddisruptionbudgets', 'PodDisruptionBudget', {
    ...workload,
    shortNames: ['pdb'],
    conditionalUpdate: true,
  }),
};

/** All kinds, in the order in which discovery names them. */
export const servedResources: readonly ServedResource[] = Object.values(resources);

const served: ReadonlySet<ResourceType> = new Set(servedResources);

const byPath = new Map(servedResources.map((one) => [`${one.group}/${one.version}/${one.plural}`, one]));

/** The kind that `group`, `version` and `plural` of a request path name. */
export function findResource(group: string, version: string, plural: string): ServedResource | undefined {
  return byPath.get(`${group}/${version}/${plural}`);
}

/** `v1`, `apps/v1`: the `apiVersion` of a kind's objects. */
export function apiVersionOf(type: Pick<ResourceType, 'group' | 'version'>): string {
  return type.group === '' ? type.version : `${type.group}/${type.version}`;
}

/** The server's own knowledge of a kind. */
export function servedAs(type: ResourceType): ServedResource {
  if (isServed(type)) return type;
  const found = findResource(type.group, type.version, type.plural);
  if (found !== undefined) return found;
  throw new Error(
    `expected a kind that the simulator serves, found ${type.plural} in ${apiVersionOf(type)}: take it from "resources"`,
  );
}

const isServed = (type: ResourceType): type is ServedResource => served.has(type);
