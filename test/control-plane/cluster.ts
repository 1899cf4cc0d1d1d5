// A real control plane with hollow kubelets, for tests and for trying things out: start it, break it, ask it, stop it.
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { planAddresses, planNodes } from './addresses.ts';
import { callApi } from './api-client.ts';
import { type AuditEvent, type AuditFilter, readAudit } from './audit.ts';
import { type ClusterRecord, clusterDirectory, readRecord } from './cluster-directory.ts';
import { ClusterError } from './cluster-error.ts';
import { type ClusterShape, COMPONENTS, type ComponentName } from './components.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { kubeconfigText, readCredentials, signCertificates, writeKubeconfig } from './credentials.ts';
import { withLock } from './lock.ts';
import { checkNetworkRequirements } from './network.ts';
import { canDo, type NodeCondition } from './node-condition.ts';
import { type ReadyStatus, readyStatus } from './node-readiness.ts';
import { ClusterNode } from './nodes.ts';
import { identify, type ProcessState } from './process-guard.ts';
import { type WaitOptions, waitUntil } from './readiness.ts';
import { type StartProgress, startCluster } from './start-up.ts';
import { inspectCluster, removeAbandoned, removeCluster } from './tear-down.ts';
import { type ClusterTimings, checkTimings } from './timings.ts';

export interface StartOptions {
  /** How many nodes, 0 to 100. Default 3. Each takes some 80 MiB. */
  nodes?: number;
  /** The nodes' zones, given out in turn. Default `zone-a`, `zone-b`, `zone-c`. */
  zones?: readonly string[];
  /** Whatever is not given is Kubernetes' default. */
  timings?: ClusterTimings;
  /** Default: a name that nobody else has. */
  name?: string;
  /** Default: a directory that goes with the name, below `$XDG_STATE_HOME`. */
  dir?: string;
  /**
   * Whether the cluster shall go on when this process ends. Default false: it is removed when this process exits, or, when
   * this process was killed, by the next one that starts a cluster.
   */
  keepRunning?: boolean;
  signal?: AbortSignal;
  onProgress?: (progress: StartProgress) => void;
}

/** Who a client certificate says that its holder is. */
export interface ClientIdentity {
  user: string;
  groups?: readonly string[];
}

export interface ClusterStatus {
  name: string;
  dir: string;
  url: string;
  version: string | undefined;
  components: { name: ComponentName; pid: number | undefined; state: ProcessState }[];
  nodes: {
    name: string;
    ip: string;
    zone: string;
    pid: number | undefined;
    condition: NodeCondition;
    /** Undefined when the API server does not know the node, or does not answer. */
    ready: ReadyStatus | undefined;
  }[];
}

/** A running cluster. `await using` stops it at the end of the block. */
export class ControlPlane implements AsyncDisposable {
  readonly name: string;
  readonly dir: string;
  /** A kubeconfig of somebody who may do everything. */
  readonly kubeconfigPath: string;
  /** Where the API server listens: reachable from this machine and from every node. */
  readonly url: string;
  /** Such as `v1.36.3`. */
  readonly version: string | undefined;
  readonly nodes: readonly ClusterNode[];
  readonly #record: ClusterRecord;
  readonly #components: ReadonlyMap<ComponentName, ControlPlaneProcess>;
  readonly #forgetOwner: () => void;

  private constructor(dir: string, record: ClusterRecord, forgetOwner: () => void = () => {}) {
    this.#forgetOwner = forgetOwner;
    const addresses = planAddresses(record.slot);
    const shape: ClusterShape = { addresses, timings: record.timings, dir };
    this.name = record.name;
    this.dir = dir;
    this.kubeconfigPath = join(dir, 'kubeconfig');
    this.url = addresses.apiServerUrl;
    this.version = record.version;
    this.#record = record;
    this.#components = new Map(
      COMPONENTS.map((name) => [name, new ControlPlaneProcess(name, shape, record.programs[name])]),
    );
    this.nodes = planNodes(record.slot, record.nodes).map((address, index) => {
      const zone = record.zones[index % record.zones.length] ?? '';
      return new ClusterNode(address, zone, shape, record.programs['hollow-kubelet']);
    });
  }

  /**
   * Starts a cluster and returns when its control plane answers and every node is Ready, after some 15 s. When it fails
   * or is aborted, nothing is left behind.
   *
   * @throws ClusterError `missing-requirement`, `wrong-argument`, `build-failed`, `component-failed`, `network-failed`,
   * or `wrong-state` when a cluster is up there already.
   */
  static async start(options: StartOptions = {}): Promise<ControlPlane> {
    const { nodes = 3, zones = ['zone-a', 'zone-b', 'zone-c'], timings = {}, keepRunning = false } = options;
    const name = options.name ?? `test-${randomBytes(5).toString('hex')}`;
    const dir = clusterDirectory({ dir: options.dir, name });
    const { signal, onProgress } = options;
    planNodes(0, nodes);
    checkTimings(timings);
    checkZones(zones);
    checkNetworkRequirements();
    await removeAbandoned();
    return await withLock(
      `cluster:${dir}`,
      async () => {
        const found = inspectCluster(dir);
        if (found === 'up') {
          throw new ClusterError('wrong-state', `A cluster is up in ${dir}: take it down first.`);
        }
        if (found === 'leftovers') {
          removeCluster(dir);
        }
        const forgetOwner = removeAtExit(dir);
        const owner = keepRunning ? undefined : identify(process.pid);
        try {
          const record = await startCluster({ dir, name, nodes, zones, timings, owner, signal, onProgress });
          if (keepRunning) {
            forgetOwner();
          }
          return new ControlPlane(dir, record, forgetOwner);
        } catch (error) {
          forgetOwner();
          removeCluster(dir);
          throw error;
        }
      },
      { signal },
    );
  }

  /** The cluster that is up in that directory; undefined when there is none. */
  static find(dir: string): ControlPlane | undefined {
    const record = inspectCluster(dir) === 'up' ? readRecord(dir) : undefined;
    return record && new ControlPlane(dir, record);
  }

  /** @throws ClusterError `wrong-argument` with the names that there are. */
  node(name: string): ClusterNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) {
      const names = this.nodes.map((node) => node.name).join(', ');
      throw new ClusterError('wrong-argument', `There is no node "${name}"; there is: ${names || 'none'}.`);
    }
    return found;
  }

  /** The machine is gone: cable and kubelet, at once. Its host is silent. */
  crash(name: string): void {
    this.node(name).crash();
  }

  /** Only the kubelet is gone: the host refuses connections. */
  stopKubelet(name: string): void {
    this.node(name).stopKubelet();
  }

  /** The kubelet hangs: the host takes connections that nobody answers. */
  pause(name: string): void {
    this.node(name).pause();
  }

  resume(name: string): void {
    this.node(name).resume();
  }

  /** The node lives on, and nobody can reach it or be reached by it. */
  cut(name: string): void {
    this.node(name).cut();
  }

  heal(name: string): void {
    this.node(name).heal();
  }

  /** Powers the node on again after `crash` or `stopKubelet`. Returns when the kubelet's process runs, not when it is Ready. */
  async start(name: string): Promise<void> {
    await this.node(name).start();
  }

  /** Cuts every node that is not cut or gone already. */
  cutAll(): void {
    for (const node of this.nodes.filter(({ condition }) => canDo('cut', condition))) {
      node.cut();
    }
  }

  healAll(): void {
    for (const node of this.nodes.filter(({ condition }) => canDo('heal', condition))) {
      node.heal();
    }
  }

  /** Hangs the API server: connections are taken, and stay without an answer. */
  pauseApiServer(): void {
    this.component('kube-apiserver').pause();
  }

  resumeApiServer(): void {
    this.component('kube-apiserver').resume();
  }

  /** Kills the API server: connections are refused. */
  killApiServer(): void {
    this.component('kube-apiserver').kill();
  }

  /** Returns when it is ready. */
  async startApiServer(options: WaitOptions = {}): Promise<void> {
    await this.component('kube-apiserver').start(options);
  }

  component(name: ComponentName): ControlPlaneProcess {
    const found = this.#components.get(name);
    if (found === undefined) {
      throw new ClusterError(
        'wrong-argument',
        `There is no component "${name}"; there is: ${COMPONENTS.join(', ')}.`,
      );
    }
    return found;
  }

  /** Waits until the Ready condition of the node has that status. Default: up to 120 s. */
  async untilReady(name: string, status: ReadyStatus = 'True', options: WaitOptions = {}): Promise<void> {
    const node = this.node(name);
    await waitUntil(
      `Ready of ${node.name} to be ${status}`,
      async () => {
        const ready = await readyStatus(
          this.url,
          readCredentials(join(this.dir, 'pki'), 'watcher'),
          options.signal,
        );
        return ready.get(node.name) === status ? true : undefined;
      },
      { timeoutMs: 120_000, intervalMs: 250, ...options },
    );
  }

  /** What was asked of the API server so far, by whom, and what it answered. */
  async audit(filter: AuditFilter = {}): Promise<AuditEvent[]> {
    return await readAudit(join(this.dir, 'audit.log'), filter);
  }

  /** Signs a client certificate and returns the path of a kubeconfig with it. What its holder may do is up to RBAC. */
  async clientKubeconfig({ user, groups = [] }: ClientIdentity): Promise<string> {
    const pki = join(this.dir, 'pki');
    const name = `client-${digest([user, ...groups])}`;
    const certificate = { name, user, groups, ips: [], dnsNames: [], server: false, client: true };
    await signCertificates(this.#record.programs.certificates, pki, [certificate]);
    const { ca, cert, key } = readCredentials(pki, name);
    return this.#writeKubeconfig(name, kubeconfigText(this.url, ca, { cert, key }));
  }

  /** Gets a token for a service account that exists, and returns the path of a kubeconfig with it. */
  async serviceAccountKubeconfig(account: {
    namespace: string;
    name: string;
    /** How long the token is good for. Default one hour; at least ten minutes. */
    validForMs?: number;
    /** The token is that of this pod, and names the node that it runs on. Default: nobody's. */
    pod?: { readonly name: string; readonly uid: string };
  }): Promise<string> {
    const { namespace, name, validForMs = 3_600_000, pod } = account;
    const credentials = readCredentials(join(this.dir, 'pki'), 'watcher');
    const { status } = await callApi<{ status: { token: string } }>({
      method: 'POST',
      url: `${this.url}/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      credentials,
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        spec: {
          expirationSeconds: Math.round(validForMs / 1000),
          ...(pod && { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', ...pod } }),
        },
      },
    });
    const file = `client-${digest(['serviceaccount', namespace, name, ...(pod ? [pod.uid] : [])])}`;
    return this.#writeKubeconfig(file, kubeconfigText(this.url, credentials.ca, { token: status.token }));
  }

  async status(): Promise<ClusterStatus> {
    const credentials = readCredentials(join(this.dir, 'pki'), 'watcher');
    const ready = await readyStatus(this.url, credentials).catch(() => new Map<string, ReadyStatus>());
    return {
      name: this.name,
      dir: this.dir,
      url: this.url,
      version: this.version,
      components: [...this.#components.values()].map(({ name, pid, state }) => ({ name, pid, state })),
      nodes: this.nodes.map(({ name, ip, zone, pid, condition }) => {
        return { name, ip, zone, pid, condition, ready: ready.get(name) };
      }),
    };
  }

  /** Removes the cluster: processes, network, files. Does nothing when it is gone already. */
  async stop(options: { keepLogs?: boolean } = {}): Promise<void> {
    await withLock(`cluster:${this.dir}`, async () => {
      this.#forgetOwner();
      removeCluster(this.dir, options);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #writeKubeconfig(name: string, text: string): string {
    const path = join(this.dir, `${name}.kubeconfig`);
    writeKubeconfig(path, text);
    return path;
  }
}

/** Removes the cluster should this process exit before it was stopped; returns what undoes that. */
function removeAtExit(dir: string): () => void {
  const remove = (): void => {
    removeCluster(dir);
  };
  process.once('exit', remove);
  return () => {
    process.removeListener('exit', remove);
  };
}

function digest(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/** Zones become the value of a label and part of a comma-separated flag. */
function checkZones(zones: readonly string[]): void {
  const wrong = zones.find((zone) => !/^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(zone));
  if (zones.length === 0 || wrong !== undefined) {
    throw new ClusterError(
      'wrong-argument',
      `Expected at least one zone that can be a label's value, found "${wrong ?? ''}".`,
    );
  }
}
