// Writes the command line of every program of a cluster; pure, so that a test can read what a cluster would run.
import { join } from 'node:path';
import { type AddressPlan, API_SERVER_PORT, KUBELET_PORT, type NodeAddress } from './addresses.ts';
import { type ClusterTimings, timingFlags } from './timings.ts';

/** The programs that make up the control plane, in the order in which they start. */
export const COMPONENTS = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
export type ComponentName = (typeof COMPONENTS)[number];

/** What decides a cluster's command lines. */
export interface ClusterShape {
  readonly addresses: AddressPlan;
  readonly timings: ClusterTimings;
  /** The cluster's directory; every file that a flag names lies below it. */
  readonly dir: string;
}

const ETCD_PORT = 2379;
const ETCD_PEER_PORT = 2380;
const CONTROLLER_MANAGER_PORT = 10_257;
const SCHEDULER_PORT = 10_259;

/** Where a component answers whether it is well. */
export function healthUrl(name: ComponentName, { loopbackIp, apiServerUrl }: AddressPlan): string {
  switch (name) {
    case 'etcd':
      return `http://${loopbackIp}:${ETCD_PORT}/health`;
    case 'kube-apiserver':
      return `${apiServerUrl}/readyz`;
    case 'kube-controller-manager':
      return `https://${loopbackIp}:${CONTROLLER_MANAGER_PORT}/healthz`;
    case 'kube-scheduler':
      return `https://${loopbackIp}:${SCHEDULER_PORT}/healthz`;
  }
}

export function componentArguments(name: ComponentName, shape: ClusterShape): string[] {
  switch (name) {
    case 'etcd':
      return etcdArguments(shape);
    case 'kube-apiserver':
      return apiServerArguments(shape);
    case 'kube-controller-manager':
      return controllerManagerArguments(shape);
    case 'kube-scheduler':
      return schedulerArguments(shape);
  }
}

function etcdArguments({ addresses, dir }: ClusterShape): string[] {
  const clients = `http://${addresses.loopbackIp}:${ETCD_PORT}`;
  const peers = `http://${addresses.loopbackIp}:${ETCD_PEER_PORT}`;
  return [
    '--name=etcd',
    `--data-dir=${join(dir, 'etcd')}`,
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=etcd=${peers}`,
    // Nobody needs this cluster after a power cut, and a slow disk would otherwise show up as a slow API server.
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

function apiServerArguments({ addresses, timings, dir }: ClusterShape): string[] {
  const pki = join(dir, 'pki');
  return [
    `--etcd-servers=http://${addresses.loopbackIp}:${ETCD_PORT}`,
    `--bind-address=${addresses.apiServerIp}`,
    `--advertise-address=${addresses.apiServerIp}`,
    `--secure-port=${API_SERVER_PORT}`,
    `--tls-cert-file=${join(pki, 'kube-apiserver.crt')}`,
    `--tls-private-key-file=${join(pki, 'kube-apiserver.key')}`,
    `--client-ca-file=${join(pki, 'ca.crt')}`,
    `--kubelet-certificate-authority=${join(pki, 'ca.crt')}`,
    `--kubelet-client-certificate=${join(pki, 'kubelet-client.crt')}`,
    `--kubelet-client-key=${join(pki, 'kubelet-client.key')}`,
    // A node's name means nothing to this machine's resolver.
    '--kubelet-preferred-address-types=InternalIP',
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--service-cluster-ip-range=${addresses.serviceRange}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-signing-key-file=${join(pki, 'service-account.key')}`,
    `--service-account-key-file=${join(pki, 'service-account.pub')}`,
    `--audit-policy-file=${join(dir, 'audit-policy.json')}`,
    `--audit-log-path=${join(dir, 'audit.log')}`,
    // Megabytes until the log is rotated, after which a test would miss what came before.
    '--audit-log-maxsize=4096',
    ...timingFlags('kube-apiserver', timings),
  ];
}

function controllerManagerArguments({ addresses, timings, dir }: ClusterShape): string[] {
  const pki = join(dir, 'pki');
  return [
    ...delegatingArguments('kube-controller-manager', dir),
    `--bind-address=${addresses.loopbackIp}`,
    `--secure-port=${CONTROLLER_MANAGER_PORT}`,
    `--root-ca-file=${join(pki, 'ca.crt')}`,
    `--cluster-signing-cert-file=${join(pki, 'ca.crt')}`,
    `--cluster-signing-key-file=${join(pki, 'ca.key')}`,
    `--service-account-private-key-file=${join(pki, 'service-account.key')}`,
    // Each controller under a name of its own, so that the audit log tells them apart.
    '--use-service-account-credentials=true',
    ...timingFlags('kube-controller-manager', timings),
  ];
}

function schedulerArguments({ addresses, dir }: ClusterShape): string[] {
  return [
    ...delegatingArguments('kube-scheduler', dir),
    `--bind-address=${addresses.loopbackIp}`,
    `--secure-port=${SCHEDULER_PORT}`,
  ];
}

/** There is one of each and nobody restarts it, so an election would only make it end when the API server is paused. */
function delegatingArguments(name: ComponentName, dir: string): string[] {
  const kubeconfig = join(dir, `${name}.kubeconfig`);
  const pki = join(dir, 'pki');
  return [
    `--tls-cert-file=${join(pki, `${name}.crt`)}`,
    `--tls-private-key-file=${join(pki, `${name}.key`)}`,
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
  ];
}

/** What one hollow kubelet is told, beside the shape of the cluster. */
export interface KubeletIdentity {
  readonly address: NodeAddress;
  readonly zone: string;
  readonly bootId: string;
  readonly machineId: string;
  readonly rootDirectory: string;
}

export function kubeletArguments({ timings, dir }: ClusterShape, identity: KubeletIdentity): string[] {
  const { name, ip } = identity.address;
  const pki = join(dir, 'pki');
  return [
    `--name=${name}`,
    `--node-ip=${ip}`,
    `--port=${KUBELET_PORT}`,
    `--kubeconfig=${join(dir, `${name}.kubeconfig`)}`,
    `--client-ca-file=${join(pki, 'ca.crt')}`,
    `--tls-cert-file=${join(pki, `${name}.crt`)}`,
    `--tls-private-key-file=${join(pki, `${name}.key`)}`,
    `--root-dir=${identity.rootDirectory}`,
    `--boot-id=${identity.bootId}`,
    `--machine-id=${identity.machineId}`,
    `--node-labels=topology.kubernetes.io/zone=${identity.zone}`,
    ...timingFlags('hollow-kubelet', timings),
  ];
}
