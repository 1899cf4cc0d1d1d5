// What the server fills in when a client leaves it out, including what its default admission plugins add.
import { type Draft, specOf } from './draft.ts';
import type { ServedResource } from './resources.ts';
import { isObject, type JsonObject } from './wire-value.ts';

/** Completes an object, a new one or a replacement. */
export function applyDefaults(type: ServedResource, draft: Draft): void {
  if (kindsWithSpec.has(type.plural)) draft.spec ??= {};
  defaultsOf.get(type.plural)?.(draft);
  const times = conditionTimes.get(type.plural);
  if (times === undefined || draft.status === undefined) return;
  for (const condition of listOf(draft.status, 'conditions').filter(isObject)) {
    for (const time of times) condition[time] ??= null;
  }
}

/** Kinds whose objects always show a `spec`, be it an empty one. */
const kindsWithSpec = new Set(['nodes', 'leases', 'services', 'poddisruptionbudgets', 'csidrivers']);

/** Times that the server writes as null rather than leave out. */
const conditionTimes: ReadonlyMap<string, readonly string[]> = new Map([
  ['nodes', ['lastHeartbeatTime', 'lastTransitionTime']],
  ['pods', ['lastProbeTime', 'lastTransitionTime']],
]);

/** What a kind's objects start with, whatever the client says about their status. */
export function resetForCreate(type: ServedResource, draft: Draft, tolerationSeconds = 300): void {
  // A node registers itself together with its first status.
  if (type.statusSubresource && type.plural !== 'nodes') delete draft.status;
  const initial = initialStatus.get(type.plural);
  if (initial !== undefined) draft.status = { ...initial };
  if (type.statusSubresource && draft.status === undefined) draft.status = {};
  if (type.plural === 'nodes') {
    taintUntilReady(draft);
    draft.status = { ...emptyNodeStatus, ...draft.status };
  }
  if (type.plural === 'namespaces') draft.spec = { ...draft.spec, finalizers: ['kubernetes'] };
  if (type.plural === 'pods') tolerateNodeTrouble(draft, tolerationSeconds);
}

const initialStatus: ReadonlyMap<string, JsonObject> = new Map([
  ['namespaces', { phase: 'Active' }],
  ['pods', { phase: 'Pending', qosClass: 'BestEffort' }],
  ['persistentvolumeclaims', { phase: 'Pending' }],
  ['persistentvolumes', { phase: 'Pending' }],
  ['services', { loadBalancer: {} }],
  ['statefulsets', { replicas: 0, availableReplicas: 0 }],
  ['replicasets', { replicas: 0 }],
  ['volumeattachments', { attached: false }],
  [
    'daemonsets',
    { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 },
  ],
  ['poddisruptionbudgets', { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 }],
]);

/** What a node says of itself before its kubelet has said anything. */
export const emptyNodeStatus: JsonObject = {
  daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
  nodeInfo: {
    machineID: '',
    systemUUID: '',
    bootID: '',
    kernelVersion: '',
    osImage: '',
    containerRuntimeVersion: '',
    kubeletVersion: '',
    kubeProxyVersion: '',
    operatingSystem: '',
    architecture: '',
  },
};

/** The TaintNodesByCondition admission: nothing is scheduled before the node lifecycle controller has seen it Ready. */
function taintUntilReady(draft: Draft): void {
  const spec = specOf(draft);
  const taints = listOf(spec, 'taints');
  const key = 'node.kubernetes.io/not-ready';
  if (taints.some((taint) => isObject(taint) && taint['key'] === key && taint['effect'] === 'NoSchedule'))
    return;
  spec['taints'] = [...taints, { key, effect: 'NoSchedule' }];
}

/** The DefaultTolerationSeconds admission: five minutes, unless the pod says otherwise. */
export function tolerateNodeTrouble(draft: Draft, tolerationSeconds = 300): void {
  const spec = specOf(draft);
  const tolerations = listOf(spec, 'tolerations').filter(isObject);
  const tolerates = (key: string): boolean =>
    tolerations.some(
      (one) => (one['key'] === key || !one['key']) && (one['effect'] === 'NoExecute' || !one['effect']),
    );
  for (const trouble of ['not-ready', 'unreachable']) {
    const key = `node.kubernetes.io/${trouble}`;
    if (tolerates(key)) continue;
    tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds });
  }
  spec['tolerations'] = tolerations;
}

const defaultsOf: ReadonlyMap<string, (draft: Draft) => void> = new Map([
  ['pods', (draft: Draft): void => defaultPodSpec(specOf(draft))],
  [
    'statefulsets',
    (draft: Draft): void => {
      const spec = specOf(draft);
      spec['replicas'] ??= 1;
      spec['podManagementPolicy'] ??= 'OrderedReady';
      spec['revisionHistoryLimit'] ??= 10;
      spec['serviceName'] ??= '';
      spec['updateStrategy'] ??= { type: 'RollingUpdate', rollingUpdate: { partition: 0 } };
      spec['persistentVolumeClaimRetentionPolicy'] ??= { whenDeleted: 'Retain', whenScaled: 'Retain' };
      defaultTemplate(spec);
      for (const claim of listOf(spec, 'volumeClaimTemplates').filter(isObject)) {
        claim['apiVersion'] ??= 'v1';
        claim['kind'] ??= 'PersistentVolumeClaim';
        const claimSpec = isObject(claim['spec']) ? claim['spec'] : {};
        claimSpec['volumeMode'] ??= 'Filesystem';
        claim['spec'] = claimSpec;
        claim['status'] ??= { phase: 'Pending' };
      }
    },
  ],
  [
    'deployments',
    (draft: Draft): void => {
      const spec = specOf(draft);
      spec['replicas'] ??= 1;
      spec['revisionHistoryLimit'] ??= 10;
      spec['progressDeadlineSeconds'] ??= 600;
      spec['strategy'] ??= {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
      };
      defaultTemplate(spec);
    },
  ],
  [
    'replicasets',
    (draft: Draft): void => {
      const spec = specOf(draft);
      spec['replicas'] ??= 1;
      defaultTemplate(spec);
    },
  ],
  [
    'daemonsets',
    (draft: Draft): void => {
      const spec = specOf(draft);
      spec['revisionHistoryLimit'] ??= 10;
      spec['updateStrategy'] ??= {
        type: 'RollingUpdate',
        rollingUpdate: { maxUnavailable: 1, maxSurge: 0 },
      };
      defaultTemplate(spec);
    },
  ],
  [
    'persistentvolumeclaims',
    (draft: Draft): void => {
      specOf(draft)['volumeMode'] ??= 'Filesystem';
    },
  ],
  [
    'persistentvolumes',
    (draft: Draft): void => {
      const spec = specOf(draft);
      spec['volumeMode'] ??= 'Filesystem';
      spec['persistentVolumeReclaimPolicy'] ??= 'Retain';
    },
  ],
  [
    'storageclasses',
    (draft: Draft): void => {
      draft['reclaimPolicy'] ??= 'Delete';
      draft['volumeBindingMode'] ??= 'Immediate';
    },
  ],
  [
    'csidrivers',
    (draft: Draft): void => {
      const spec = specOf(draft);
      spec['attachRequired'] ??= true;
      spec['podInfoOnMount'] ??= false;
      spec['storageCapacity'] ??= false;
      spec['fsGroupPolicy'] ??= 'ReadWriteOnceWithFSType';
      spec['volumeLifecycleModes'] ??= ['Persistent'];
      spec['requiresRepublish'] ??= false;
      spec['seLinuxMount'] ??= false;
    },
  ],
  [
    'services',
    (draft: Draft): void => {
      const spec = specOf(draft);
      spec['type'] ??= 'ClusterIP';
      spec['sessionAffinity'] ??= 'None';
      spec['internalTrafficPolicy'] ??= 'Cluster';
      spec['ipFamilies'] ??= ['IPv4'];
      spec['ipFamilyPolicy'] ??= 'SingleStack';
      if (spec['clusterIP'] !== undefined) spec['clusterIPs'] ??= [spec['clusterIP']];
      for (const port of listOf(spec, 'ports').filter(isObject)) {
        port['protocol'] ??= 'TCP';
        port['targetPort'] ??= port['port'];
      }
    },
  ],
  [
    'events',
    (draft: Draft): void => {
      draft['eventTime'] ??= null;
      draft['reportingComponent'] ??= '';
      draft['reportingInstance'] ??= '';
    },
  ],
  [
    'secrets',
    (draft: Draft): void => {
      draft['type'] ??= 'Opaque';
      const { stringData } = draft;
      delete draft['stringData'];
      if (!isObject(stringData)) return;
      const encoded = Object.entries(stringData).map(([key, value]) => [
        key,
        Buffer.from(String(value)).toString('base64'),
      ]);
      draft['data'] = { ...(draft['data'] ?? {}), ...Object.fromEntries(encoded) };
    },
  ],
  [
    'namespaces',
    (draft: Draft): void => {
      draft.metadata.labels = {
        ...draft.metadata.labels,
        'kubernetes.io/metadata.name': draft.metadata.name,
      };
    },
  ],
]);

function defaultTemplate(spec: JsonObject): void {
  const template = isObject(spec['template']) ? spec['template'] : {};
  template['metadata'] ??= {};
  const podSpec = isObject(template['spec']) ? template['spec'] : {};
  defaultSharedPodSpec(podSpec);
  template['spec'] = podSpec;
  spec['template'] = template;
}

function defaultPodSpec(spec: JsonObject): void {
  defaultSharedPodSpec(spec);
  spec['enableServiceLinks'] ??= true;
  spec['serviceAccountName'] ??= 'default';
  spec['serviceAccount'] ??= spec['serviceAccountName'];
  spec['priority'] ??= 0;
  spec['preemptionPolicy'] ??= 'PreemptLowerPriority';
}

function defaultSharedPodSpec(spec: JsonObject): void {
  spec['restartPolicy'] ??= 'Always';
  spec['terminationGracePeriodSeconds'] ??= 30;
  spec['dnsPolicy'] ??= 'ClusterFirst';
  spec['schedulerName'] ??= 'default-scheduler';
  spec['securityContext'] ??= {};
  for (const container of listOf(spec, 'containers').filter(isObject)) {
    container['terminationMessagePath'] ??= '/dev/termination-log';
    container['terminationMessagePolicy'] ??= 'File';
    container['imagePullPolicy'] ??= pullPolicy(container['image']);
    container['resources'] ??= {};
    for (const port of listOf(container, 'ports').filter(isObject)) port['protocol'] ??= 'TCP';
  }
}

function pullPolicy(image: unknown): string {
  const tag = typeof image === 'string' ? /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1] : undefined;
  return (tag === undefined && !String(image).includes('@')) || tag === 'latest' ? 'Always' : 'IfNotPresent';
}

function listOf(parent: JsonObject, field: string): unknown[] {
  const value = parent[field];
  return Array.isArray(value) ? value : [];
}
