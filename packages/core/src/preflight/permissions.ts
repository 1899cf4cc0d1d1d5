// What this library has to be allowed to do, as data: an agent checks it before it starts, and whoever writes roles reads it.

import { csiAddonsNodes, networkFenceClasses, networkFences } from '../fencing/drivers/csi-addons.ts';
import { KubernetesClient } from '../kubernetes/client.ts';
import type { KubernetesObject } from '../kubernetes/objects.ts';
import {
  configMaps,
  events,
  leases,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  type Resource,
  statefulSets,
  type Verb,
  volumeAttachments,
} from '../kubernetes/resources.ts';
import type { Transport } from '../kubernetes/transport.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../time/clock.ts';

/** One thing that an identity may be allowed to do, in the words of RBAC. */
export interface Permission {
  /** As in a Role. */
  readonly verb: Verb;
  /** Which kind. */
  readonly resource: Resource;
  /** Absent: in all namespaces, or for a resource that belongs to none. */
  readonly namespace?: string;
  /** Absent: any object. */
  readonly name?: string;
}

const each = (
  verbs: readonly Verb[],
  resource: Resource,
  where: Omit<Permission, 'verb' | 'resource'> = {},
): readonly Permission[] => verbs.map((verb): Permission => ({ verb, resource, ...where }));

/** What a fencer asks beside that which cuts nodes off from their storage: {@link networkFencer}. */
export const networkFencePermissions: readonly Permission[] = [
  ...each(['list', 'watch'], csiAddonsNodes),
  ...each(['get'], networkFenceClasses),
  ...each(['get', 'create', 'patch', 'delete'], networkFences),
];

/** Everything that a controller and its takeovers ask of an API server. */
export function neededPermissions(options: {
  /** Where takeover records are kept. */
  readonly namespace: string;
  readonly election: { readonly namespace: string; readonly name: string };
  /** Who only observes needs less. Default `act`. */
  readonly mode?: 'act' | 'observe';
  /** Where guards of watchdogs keep their Leases, if a fencer relies on them. Default: none does. */
  readonly guardNamespaces?: readonly string[];
  /** Some fencer cuts nodes off from their storage, which who only observes never does. Default false. */
  readonly networkFence?: boolean;
}): readonly Permission[] {
  const { namespace, election, mode = 'act', guardNamespaces = [], networkFence = false } = options;
  if (mode === 'observe') {
    return [
      ...each(['list', 'watch'], nodes),
      ...each(['list', 'watch'], leases, { namespace: 'kube-node-lease' }),
      ...each(['create'], leases, { namespace: election.namespace }),
      ...each(['get', 'list', 'watch', 'patch'], leases, election),
      // Its status; and the records of an installation that acts, if there is one.
      ...each(['get', 'list', 'create', 'patch'], configMaps, { namespace }),
      ...each(['get'], namespaces),
      ...each(['create', 'patch'], events, { namespace: 'default' }),
    ];
  }
  return [
    ...each(['get', 'list', 'watch', 'patch', 'delete'], nodes),
    ...each(['get', 'list', 'watch'], leases, { namespace: 'kube-node-lease' }),
    ...each(['create'], leases, { namespace: election.namespace }),
    ...each(['get', 'list', 'watch', 'patch'], leases, election),
    ...each(['get', 'list', 'create', 'patch', 'delete'], configMaps, { namespace }),
    // Its own, at the start; and those of pods that are waited for, since nothing comes into one that is terminating.
    ...each(['get'], namespaces),
    ...each(['get'], statefulSets),
    ...each(['get', 'list', 'delete'], pods),
    ...each(['get'], persistentVolumeClaims),
    ...each(['get'], persistentVolumes),
    ...each(['list'], volumeAttachments),
    ...each(['create', 'patch'], events, { namespace: 'default' }),
    ...guardNamespaces.flatMap((where) => each(['get'], leases, { namespace: where })),
    ...(networkFence ? networkFencePermissions : []),
  ];
}

interface SelfSubjectAccessReview extends KubernetesObject {
  readonly status?: { readonly allowed?: boolean };
}

const accessReviews: Resource<SelfSubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  namespaced: false,
};

/** How to put a question to the API server that changes nothing. */
export interface AskOptions {
  /** Whose identity the question is about. Stays the caller's. */
  readonly transport: Transport;
  /** Ends the asking. */
  readonly signal?: AbortSignal;
  /** For each question. Default 10,000 ms. */
  readonly timeoutMs?: number;
  /** Default {@link systemClock}. */
  readonly clock?: Clock;
  /** Draws jitter. Default {@link systemRandom}. */
  readonly random?: Random;
}

/** Options of {@link missingPermissions}. */
export interface MissingPermissionsOptions extends AskOptions {
  /** What to ask about. */
  readonly permissions: readonly Permission[];
}

/**
 * Asks the API server which of `permissions` this identity lacks. Changes nothing: the review is a question that is
 * asked by creating an object, and nothing of it is kept.
 *
 * @throws as every read does, when the API server does not answer or does not take the question.
 */
export async function missingPermissions(options: MissingPermissionsOptions): Promise<readonly Permission[]> {
  const {
    transport,
    permissions,
    signal,
    timeoutMs = 10_000,
    clock = systemClock,
    random = systemRandom,
  } = options;
  const client = new KubernetesClient({ transport, clock, random });
  const missing: Permission[] = [];
  for (const permission of permissions) {
    const { verb, resource, namespace, name } = permission;
    const { group, version, plural } = resource;
    const review = await client.request<SelfSubjectAccessReview>({
      verb: 'create',
      resource: accessReviews,
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: accessReviews.kind,
        spec: { resourceAttributes: { verb, group, version, resource: plural, namespace, name } },
      },
      timeoutMs,
      signal,
    });
    if (review.status?.allowed !== true) missing.push(permission);
  }
  return missing;
}

/** `delete nodes`, `patch leases.coordination.k8s.io "liberator" in namespace apps`: a permission as people say it. */
export function describePermission({ verb, resource, namespace, name }: Permission): string {
  const what = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
  const which = name === undefined ? '' : ` "${name}"`;
  const where = namespace === undefined ? '' : ` in namespace ${namespace}`;
  return `${verb} ${what}${which}${where}`;
}
