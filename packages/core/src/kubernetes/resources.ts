// Which kinds of objects this library touches and where the API server keeps them, so that no path is ever typed by hand.
import type {
  ConfigMap,
  CoreEvent,
  KubernetesObject,
  Lease,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  PodDisruptionBudget,
  StatefulSet,
  VolumeAttachment,
} from './objects.ts';

declare const shape: unique symbol;

/** One resource of the API, carrying in its type the shape of its objects. */
export interface Resource<T = unknown> {
  /** `''` for the core group. */
  readonly group: string;
  /** `v1` */
  readonly version: string;
  /** As in the path: `nodes`. */
  readonly plural: string;
  /** As in objects: `Node`. */
  readonly kind: string;
  /** Whether its objects live in namespaces. */
  readonly namespaced: boolean;
  /** Never there: only carries `T` for the type checker. */
  readonly [shape]?: T;
}

/** Nodes. */
export const nodes: Resource<Node> = core('nodes', 'Node', false);
/** Pods. */
export const pods: Resource<Pod> = core('pods', 'Pod', true);
/** ConfigMaps. */
export const configMaps: Resource<ConfigMap> = core('configmaps', 'ConfigMap', true);
/** Namespaces. */
export const namespaces: Resource<KubernetesObject> = core('namespaces', 'Namespace', false);
/** Events of the core group. */
export const events: Resource<CoreEvent> = core('events', 'Event', true);
/** PersistentVolumes. */
export const persistentVolumes: Resource<PersistentVolume> = core(
  'persistentvolumes',
  'PersistentVolume',
  false,
);
/** PersistentVolumeClaims. */
export const persistentVolumeClaims: Resource<PersistentVolumeClaim> = core(
  'persistentvolumeclaims',
  'PersistentVolumeClaim',
  true,
);
/** Leases. */
export const leases: Resource<Lease> = {
  group: 'coordination.k8s.io',
  version: 'v1',
  plural: 'leases',
  kind: 'Lease',
  namespaced: true,
};
/** StatefulSets. */
export const statefulSets: Resource<StatefulSet> = {
  group: 'apps',
  version: 'v1',
  plural: 'statefulsets',
  kind: 'StatefulSet',
  namespaced: true,
};
/** PodDisruptionBudgets. */
export const podDisruptionBudgets: Resource<PodDisruptionBudget> = {
  group: 'policy',
  version: 'v1',
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  namespaced: true,
};
/** VolumeAttachments. */
export const volumeAttachments: Resource<VolumeAttachment> = {
  group: 'storage.k8s.io',
  version: 'v1',
  plural: 'volumeattachments',
  kind: 'VolumeAttachment',
  namespaced: false,
};

function core<T>(plural: string, kind: string, namespaced: boolean): Resource<T> {
  return { group: '', version: 'v1', plural, kind, namespaced };
}

/** `v1`, `coordination.k8s.io/v1`: the `apiVersion` that objects of this resource carry. */
export function apiVersionOf(resource: Resource): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** What one call does, in Kubernetes' own words: the same ones that RBAC rules use. */
export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One object, or one collection when `name` is absent. */
export interface ResourceAddress {
  /** Which kind. */
  readonly resource: Resource;
  /** Absent for cluster-scoped resources; absent for a list means all namespaces. */
  readonly namespace?: string | undefined;
  /** Absent: all of them. */
  readonly name?: string | undefined;
  /** `status`, `eviction`. */
  readonly subresource?: string | undefined;
}

const addressesOneObject: ReadonlySet<Verb> = new Set(['get', 'update', 'patch', 'delete']);

/**
 * The percent-encoded path and query of a call.
 *
 * @throws TypeError when a name or a namespace that the call needs is missing or can't be one. An empty name must never
 *   reach the server: `DELETE /api/v1/nodes/` means every node.
 */
export function resourcePath(verb: Verb, address: ResourceAddress, query: Query = {}): string {
  const { resource, namespace, name, subresource } = address;
  if (name === undefined && addressesOneObject.has(verb)) {
    throw new TypeError(`to ${verb} ${resource.plural}, the name of one object is needed; there was none`);
  }
  if (name === undefined && subresource !== undefined) {
    throw new TypeError(
      `${resource.plural}/${subresource} is a part of one object, and its name is needed; there was none`,
    );
  }
  if (!resource.namespaced && namespace !== undefined) {
    throw new TypeError(`${resource.plural} belong to no namespace; found namespace "${namespace}"`);
  }
  if (resource.namespaced && namespace === undefined && (name !== undefined || verb === 'create')) {
    throw new TypeError(`to ${verb} one of the ${resource.plural}, its namespace is needed; there was none`);
  }
  const segments = resource.group === '' ? ['api'] : ['apis', resource.group];
  segments.push(resource.version);
  if (namespace !== undefined) segments.push('namespaces', checkedSegment('namespace', namespace));
  segments.push(resource.plural);
  if (name !== undefined) segments.push(checkedSegment('name', name));
  if (subresource !== undefined) segments.push(checkedSegment('subresource', subresource));
  const path = `/${segments.map(encodeURIComponent).join('/')}`;
  const search = encodeQuery(query);
  return search === '' ? path : `${path}?${search}`;
}

/** `delete pods/eviction web-0 in namespace shop`: for messages. */
export function describeCall(verb: Verb, address: ResourceAddress): string {
  const { resource, namespace, name, subresource } = address;
  const what = subresource === undefined ? resource.plural : `${resource.plural}/${subresource}`;
  const which = name === undefined ? '' : ` ${name}`;
  return `${verb} ${what}${which}${namespace === undefined ? '' : ` in namespace ${namespace}`}`;
}

/** What the API server itself refuses in a path segment, checked before a proxy on the way can reinterpret it. */
function checkedSegment(role: string, value: string): string {
  if (value === '' || value === '.' || value === '..' || /[/%]/.test(value)) {
    throw new TypeError(
      `expected a ${role} that is not empty, "." or ".." and holds no "/" or "%"; found ${JSON.stringify(value)}`,
    );
  }
  return value;
}

function encodeQuery(query: Query): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  return search.toString();
}
