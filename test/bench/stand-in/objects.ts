// What is in a cluster whose objects weigh as much as those of a real one: Nodes of 11 kB, most of it images and managedFields.
import { createHash } from 'node:crypto';

/** A number of a node as its name has it, so that names sort as numbers do. */
export function nodeName(index: number): string {
  return `worker-${String(index).padStart(5, '0')}`;
}

/** Each node's own address on the loopback device: all of 127.0.0.0/8 leads there. */
export function nodeAddress(index: number): string {
  const host = index + 1;
  return `127.${1 + (host >> 16)}.${(host >> 8) & 255}.${host & 255}`;
}

/** The same text for the same words, in the shape of a uid. */
export function uidFor(...words: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(words.join('/')).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  );
}

const digest = (...words: readonly (string | number)[]): string =>
  createHash('sha256').update(words.join('/')).digest('hex');

const imageNames = [
  'registry.k8s.io/kube-proxy',
  'registry.k8s.io/coredns/coredns',
  'registry.k8s.io/sig-storage/csi-node-driver-registrar',
  'registry.k8s.io/sig-storage/livenessprobe',
  'registry.k8s.io/metrics-server/metrics-server',
  'quay.io/cilium/cilium',
  'quay.io/cilium/operator-generic',
  'quay.io/prometheus/node-exporter',
  'quay.io/brancz/kube-rbac-proxy',
  'docker.io/library/mysql',
  'docker.io/library/postgres',
  'docker.io/grafana/promtail',
  'docker.io/library/busybox',
  'registry.example.com/shop/checkout',
  'registry.example.com/shop/catalogue',
  'registry.example.com/shop/payments',
  'registry.example.com/platform/log-forwarder',
  'registry.example.com/platform/backup-agent',
  'registry.example.com/platform/image-of-a-service-with-a-long-name',
];

/** Two tags of each image: what is left on a disk after a few updates. */
const images = imageNames.flatMap((name) =>
  ['1.29.4', '1.30.1'].map((tag) => ({
    names: [`${name}@sha256:${digest(name, tag)}`, `${name}:v${tag}`],
    sizeBytes: 20_000_000 + (Number.parseInt(digest(name, tag).slice(0, 7), 16) % 300_000_000),
  })),
);

const empty = {};
const fieldsOf = (...names: readonly string[]): object =>
  Object.fromEntries(['.', ...names.map((name) => `f:${name}`)].map((name) => [name, empty]));

/** What the API server notes about who wrote which field. */
export const nodeManagedFields: readonly object[] = [
  {
    manager: 'kubelet',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-05T08:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': {
        'f:annotations': fieldsOf('volumes.kubernetes.io/controller-managed-attach-detach'),
        'f:labels': fieldsOf('beta.kubernetes.io/arch', 'kubernetes.io/arch', 'kubernetes.io/hostname'),
      },
      'f:spec': { 'f:providerID': empty },
    },
  },
  {
    manager: 'kubelet',
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-05T08:05:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:status': {
        'f:conditions': Object.fromEntries(
          ['DiskPressure', 'MemoryPressure', 'PIDPressure', 'Ready'].map((type) => [
            `k:{"type":"${type}"}`,
            { 'f:lastHeartbeatTime': empty },
          ]),
        ),
        'f:images': empty,
      },
    },
    subresource: 'status',
  },
];

const capacity = {
  cpu: '16',
  'ephemeral-storage': '103865452Ki',
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
  memory: '65842176Ki',
  pods: '110',
};

const conditions = [
  ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  ['Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'],
] as const;

/** A Node as its kubelet registers it, Ready. */
export function nodeObject(
  index: number,
  options: { readonly kubeletPort: number; readonly now: string },
): object {
  const name = nodeName(index);
  const zone = `eu-central-1${'abc'[index % 3]}`;
  const instance = `i-${digest('instance', index).slice(0, 17)}`;
  return {
    metadata: {
      name,
      labels: {
        'beta.kubernetes.io/arch': 'amd64',
        'beta.kubernetes.io/instance-type': 'm6i.4xlarge',
        'beta.kubernetes.io/os': 'linux',
        'failure-domain.beta.kubernetes.io/region': 'eu-central-1',
        'failure-domain.beta.kubernetes.io/zone': zone,
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'node.kubernetes.io/instance-type': 'm6i.4xlarge',
        'topology.ebs.csi.example.com/zone': zone,
        'topology.kubernetes.io/region': 'eu-central-1',
        'topology.kubernetes.io/zone': zone,
        'example.com/pool': `pool-${index % 5}`,
      },
      annotations: {
        'csi.volume.kubernetes.io/nodeid': JSON.stringify({ 'ebs.csi.example.com': instance }),
        'node.alpha.kubernetes.io/ttl': '0',
        'volumes.kubernetes.io/controller-managed-attach-detach': 'true',
      },
    },
    spec: {
      podCIDR: `10.${64 + (index >> 8)}.${index & 255}.0/24`,
      podCIDRs: [`10.${64 + (index >> 8)}.${index & 255}.0/24`],
      providerID: `aws:///${zone}/${instance}`,
    },
    status: {
      addresses: [
        { type: 'InternalIP', address: nodeAddress(index) },
        { type: 'Hostname', address: name },
      ],
      allocatable: { ...capacity, cpu: '15890m', memory: '62887872Ki' },
      capacity,
      conditions: conditions.map(([type, status, reason, message]) => ({
        type,
        status,
        lastHeartbeatTime: options.now,
        lastTransitionTime: options.now,
        reason,
        message,
      })),
      daemonEndpoints: { kubeletEndpoint: { Port: options.kubeletPort } },
      images,
      nodeInfo: {
        architecture: 'amd64',
        bootID: uidFor('boot', index),
        containerRuntimeVersion: 'containerd://2.1.4',
        kernelVersion: '6.12.40-64.114.amzn2023.x86_64',
        kubeProxyVersion: '',
        kubeletVersion: 'v1.36.0',
        machineID: digest('machine', index).slice(0, 32),
        operatingSystem: 'linux',
        osImage: 'Amazon Linux 2023.8.20260101',
        systemUUID: uidFor('board', index),
      },
      ...(index % 2 === 0 && {
        volumesInUse: [`kubernetes.io/csi/ebs.csi.example.com^vol-${instance.slice(2)}`],
      }),
    },
  };
}

export const databaseNamespace = 'databases';

/** Members of one StatefulSet: databases rarely have more. */
export const setSize = 3;

export interface DatabasePod {
  readonly set: string;
  readonly name: string;
  readonly claim: string;
  readonly volume: string;
}

/** The database pod of a number: which set it belongs to, and what it holds. */
export function databasePod(number: number): DatabasePod {
  const set = `database-${String(Math.floor(number / setSize)).padStart(5, '0')}`;
  const name = `${set}-${number % setSize}`;
  return { set, name, claim: `data-${name}`, volume: `pvc-${uidFor('volume', name)}` };
}

/** A pod of a database, as the StatefulSet controller makes it and the scheduler has bound it. */
export function podObject(
  pod: DatabasePod,
  options: { readonly node: string; readonly setUid: string },
): object {
  const mounts = [
    { mountPath: '/var/lib/mysql', name: 'data' },
    { mountPath: '/etc/mysql/conf.d', name: 'config' },
  ];
  const resources = { limits: { memory: '8Gi' }, requests: { cpu: '1', memory: '8Gi' } };
  return {
    metadata: {
      name: pod.name,
      namespace: databaseNamespace,
      labels: {
        app: 'mysql',
        'app.kubernetes.io/instance': pod.set,
        'apps.kubernetes.io/pod-index': pod.name.slice(-1),
        'controller-revision-hash': `${pod.set}-7d9c5b6f4`,
        'statefulset.kubernetes.io/pod-name': pod.name,
      },
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'StatefulSet',
          name: pod.set,
          uid: options.setUid,
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      nodeName: options.node,
      hostname: pod.name,
      subdomain: pod.set,
      terminationGracePeriodSeconds: 30,
      containers: ['mysql', 'exporter'].map((name) => ({
        name,
        image: `docker.io/library/${name}:8.4.3`,
        ports: [{ containerPort: name === 'mysql' ? 3306 : 9104 }],
        env: ['MYSQL_USER', 'MYSQL_DATABASE', 'POD_NAME'].map((key) => ({ name: key, value: pod.set })),
        resources,
        volumeMounts: mounts,
      })),
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: pod.claim } },
        { name: 'config', configMap: { name: `${pod.set}-config`, defaultMode: 420 } },
      ],
    },
  };
}

/** What a kubelet says of a pod that runs. */
export function runningStatus(now: string): object {
  return {
    phase: 'Running',
    startTime: now,
    conditions: ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
      (type) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: now }),
    ),
  };
}
