// What a request of a replica would do to the cluster, read off the wire: invariants judge this, not what core believes.
import { outOfServiceTaint, type Taint } from '@liberator/core';

export type WriteKind =
  | 'delete-node'
  | 'delete-pod'
  | 'mark-out-of-service'
  | 'change-node'
  | 'record'
  | 'event'
  | 'election'
  | 'other';

/** Writes that can't be taken back. */
export const destructive: ReadonlySet<WriteKind> = new Set([
  'delete-node',
  'delete-pod',
  'mark-out-of-service',
]);

export interface Write {
  readonly kind: WriteKind;
  readonly method: string;
  readonly namespace: string | undefined;
  /** Of the object in the path; for a new one, that in its body, if it has a name already. */
  readonly name: string | undefined;
  /** The only object that it may hit, as far as the request says so. */
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  /** What a new Event is about. */
  readonly about: Subject | undefined;
}

/** Of an Event. */
interface Subject {
  readonly kind?: string;
  readonly name?: string;
  readonly uid?: string;
}

interface WriteBody {
  readonly metadata?: { readonly name?: string; readonly uid?: string; readonly resourceVersion?: string };
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly spec?: { readonly taints?: readonly Taint[] };
  readonly involvedObject?: Subject;
  readonly regarding?: Subject;
}

/** Undefined for a request that reads. */
export function writeOf(request: {
  readonly method: string;
  readonly path: string;
  readonly body?: string;
}): Write | undefined {
  if (request.method === 'GET') return undefined;
  const [path = ''] = request.path.split('?');
  const match = /^\/api(?:s\/[^/]+)?\/v1(?:\/namespaces\/([^/]+))?\/([a-z]+)(?:\/([^/]+))?/.exec(path);
  const [, namespace, resource = '', name] = match ?? [];
  const body: WriteBody = request.body === undefined ? {} : JSON.parse(request.body);
  const conditions = body.preconditions ?? body.metadata;
  return {
    kind: kindOf(request.method, resource, body),
    method: request.method,
    namespace,
    name: name ?? body.metadata?.name,
    uid: conditions?.uid,
    resourceVersion: conditions?.resourceVersion,
    about: body.involvedObject ?? body.regarding,
  };
}

function kindOf(method: string, resource: string, body: WriteBody): WriteKind {
  if (resource === 'configmaps') return 'record';
  if (resource === 'events') return 'event';
  if (resource === 'leases') return 'election';
  if (resource === 'pods' && method === 'DELETE') return 'delete-pod';
  if (resource !== 'nodes') return 'other';
  if (method === 'DELETE') return 'delete-node';
  const marked = body.spec?.taints?.some(({ key }) => key === outOfServiceTaint.key) ?? false;
  return marked ? 'mark-out-of-service' : 'change-node';
}
