// Bookmarks: an object with nothing in it but a resourceVersion, yet with all the fields that its kind always shows.
import { emptyNodeStatus } from '../store/defaults.ts';
import { apiVersionOf, type ServedResource } from '../store/resources.ts';

const template = { metadata: {}, spec: { containers: null } };
const specAndStatus = { spec: {}, status: {} };

/** What an empty object of a kind consists of, beside its metadata; nothing where it isn't listed. */
const emptyObjects: ReadonlyMap<string, object> = new Map<string, object>([
  ['namespaces', specAndStatus],
  ['nodes', { spec: {}, status: emptyNodeStatus }],
  ['pods', { spec: { containers: null }, status: {} }],
  ['services', { spec: {}, status: { loadBalancer: {} } }],
  ['persistentvolumes', specAndStatus],
  ['persistentvolumeclaims', { spec: { resources: {} }, status: {} }],
  ['leases', { spec: {} }],
  ['csidrivers', { spec: {} }],
  ['csinodes', { spec: { drivers: null } }],
  ['controllerrevisions', { data: null, revision: 0 }],
  ['storageclasses', { provisioner: '' }],
  [
    'events',
    {
      involvedObject: {},
      source: {},
      firstTimestamp: null,
      lastTimestamp: null,
      eventTime: null,
      reportingComponent: '',
      reportingInstance: '',
    },
  ],
  [
    'statefulsets',
    {
      spec: { replicas: 0, selector: null, template, serviceName: '', updateStrategy: {} },
      status: { replicas: 0, availableReplicas: 0 },
    },
  ],
  ['deployments', { spec: { replicas: 0, selector: null, template, strategy: {} }, status: {} }],
  ['replicasets', { spec: { replicas: 0, selector: null, template }, status: { replicas: 0 } }],
  [
    'daemonsets',
    {
      spec: { selector: null, template, updateStrategy: {} },
      status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
    },
  ],
  ['volumeattachments', { spec: { attacher: '', source: {}, nodeName: '' }, status: { attached: false } }],
  [
    'poddisruptionbudgets',
    { spec: {}, status: { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 } },
  ],
]);

/** Says that a watch has seen everything up to `version`; `initial` that the objects so far were those at its start. */
export function bookmarkOf(type: ServedResource, version: number, initial: boolean): object {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  return {
    kind: type.kind,
    apiVersion: apiVersionOf(type),
    metadata: { resourceVersion: String(version), ...(initial ? { annotations } : {}) },
    ...emptyObjects.get(type.plural),
  };
}
