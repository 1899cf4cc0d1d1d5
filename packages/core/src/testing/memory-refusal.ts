// The errors of clusters in memory: of the very types, and with the very fields, that a real client throws.
import {
  type CallDescription,
  KubernetesError,
  RequestAbortedError,
  RequestTimeoutError,
} from '../kubernetes/errors.ts';
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
import { TransportError } from '../kubernetes/transport.ts';
import { recordName } from '../takeover/records/names.ts';

/** What the API server says instead of doing as asked. */
export interface Refusal {
  /** Default 403. */
  readonly status?: number;
  /** Kubernetes' reason. Default `Forbidden`. */
  readonly reason?: string;
  /** The server's own sentence, as it stands in its Status. */
  readonly message: string;
}

const calls: Readonly<Record<string, readonly [Verb, Resource]>> = {
  readNode: ['get', nodes],
  readNodeLease: ['get', leases],
  listPodsOn: ['list', pods],
  readPod: ['get', pods],
  readClaim: ['get', persistentVolumeClaims],
  readVolume: ['get', persistentVolumes],
  readStatefulSet: ['get', statefulSets],
  readNamespace: ['get', namespaces],
  listAttachmentsOn: ['list', volumeAttachments],
  setTaints: ['patch', nodes],
  clearTaints: ['patch', nodes],
  addToNode: ['patch', nodes],
  deletePod: ['delete', pods],
  evict: ['create', pods],
  deleteNode: ['delete', nodes],
  listRecords: ['list', configMaps],
  readRecord: ['get', configMaps],
  createRecord: ['create', configMaps],
  updateRecord: ['patch', configMaps],
  deleteRecord: ['delete', configMaps],
  publishEvent: ['create', events],
};

/** A call of a port as errors tell of it. */
interface CallOfPort {
  readonly method: string;
  /** A name, or a namespace and a name. */
  readonly target: string;
}

export function refusalError(call: CallOfPort, refusal: Refusal): KubernetesError {
  const { status = 403, reason = 'Forbidden', message } = refusal;
  const body = { kind: 'Status', status: 'Failure', code: status, reason, message } as const;
  return new KubernetesError(descriptionOf(call), { status, body });
}

export function timeoutError(call: CallOfPort, timeoutMs: number): RequestTimeoutError {
  return new RequestTimeoutError(descriptionOf(call), 'total', timeoutMs, true);
}

export function abortedError(call: CallOfPort, reason: unknown): RequestAbortedError {
  return new RequestAbortedError(descriptionOf(call), true, reason);
}

/** @param sent - whether the server may have acted on it. */
export function noAnswerError({ method, target }: CallOfPort, sent: boolean): TransportError {
  const what = `${method} ${target}`.trim();
  return new TransportError(sent ? `no answer to ${what}: connection reset` : `${what}: connection refused`, {
    sent,
  });
}

function descriptionOf({ method, target }: CallOfPort): CallDescription {
  const [verb, resource] = calls[method] ?? ['get', nodes];
  const [namespace, name] = target.includes('/') ? target.split('/') : [undefined, target];
  const named = resource === configMaps ? recordName(target) : name;
  return { verb, resource, namespace, name: named };
}
