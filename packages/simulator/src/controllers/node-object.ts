// What the Node of a healthy machine looks like.
import type { Clock } from '@liberator/core';
import type { KubeletHost, NodeSpec } from './node-spec.ts';
import { timeText } from './timestamps.ts';
import type { Condition, Draft, Node } from './wire-objects.ts';

/** Of the Kubernetes that is imitated. */
const kubernetesVersion = 'v1.36.0';

const defaultCapacity = { cpu: '8', memory: '32Gi', pods: '110' };
const defaultKubeletPort = 10_250;

/** The conditions of a kubelet that has nothing to complain about. */
export const healthyConditions: readonly Condition[] = [
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  {
    type: 'DiskPressure',
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  },
  {
    type: 'PIDPressure',
    status: 'False',
    reason: 'KubeletHasSufficientPID',
    message: 'kubelet has sufficient PID available',
  },
  { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
];

/** The Node with which a kubelet registers: not Ready yet. */
export function nodeToRegister(host: KubeletHost, clock: Clock): object {
  const { name, annotations, taints, providerID } = host.spec;
  const now = timeText(clock);
  const starting: Condition = {
    type: 'Ready',
    status: 'False',
    reason: 'KubeletNotReady',
    message: 'container runtime status check may not have completed yet',
  };
  return {
    metadata: {
      name,
      labels: registeredLabels(host.spec),
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true', ...annotations },
    },
    spec: {
      ...(taints === undefined ? {} : { taints }),
      ...(providerID === undefined ? {} : { providerID }),
    },
    status: {
      ...statusFields(host),
      conditions: [...healthyConditions.filter(({ type }) => type !== 'Ready'), starting].map(
        (condition) => ({
          ...condition,
          lastHeartbeatTime: now,
          lastTransitionTime: now,
        }),
      ),
    },
  };
}

export function registeredLabels(spec: NodeSpec): Record<string, string> {
  return {
    'kubernetes.io/hostname': spec.name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': 'amd64',
    ...(spec.zone === undefined ? {} : { 'topology.kubernetes.io/zone': spec.zone }),
    ...spec.labels,
  };
}

/** Everything in `status` that doesn't depend on the moment. */
export function statusFields({ spec, bootId }: KubeletHost): Draft<NonNullable<Node['status']>> & object {
  const capacity = { ...defaultCapacity, ...spec.capacity };
  return {
    addresses: [
      { type: 'InternalIP', address: spec.address ?? '127.0.0.1' },
      { type: 'Hostname', address: spec.name },
    ],
    capacity,
    allocatable: capacity,
    daemonEndpoints: { kubeletEndpoint: { Port: spec.kubeletPort ?? defaultKubeletPort } },
    nodeInfo: { ...nodeInfo, bootID: bootId, systemUUID: spec.systemUUID ?? '' },
  };
}

const nodeInfo = {
  architecture: 'amd64',
  containerRuntimeVersion: 'simulated://1',
  kernelVersion: '6.12.0',
  kubeProxyVersion: '',
  kubeletVersion: kubernetesVersion,
  machineID: '',
  operatingSystem: 'linux',
  osImage: 'Liberator simulator',
};
