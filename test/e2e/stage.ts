// A real cluster with a database on it and three agents beside it: where every scenario plays.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubernetesObjectApi, PatchStrategy } from '@kubernetes/client-node';
import {
  type ConfigMap,
  type CoreEvent,
  configMaps,
  confirmedDeadAnnotation,
  createReader,
  createTransport,
  events,
  isNotFound,
  type KubernetesReader,
  leases,
  loadKubeConfig,
  type Node,
  nodes,
  type Pod,
  pods,
  readTakeoverRecords,
  type TakeoverRecord,
  type Transport,
} from '@liberator/core';
import { parseAllDocuments, stringify } from 'yaml';
import type { AuditEvent } from '../control-plane/audit.ts';
import { ControlPlane } from '../control-plane/cluster.ts';
import { writeKubeconfig } from '../control-plane/credentials.ts';
import type { ClusterTimings } from '../control-plane/timings.ts';
import type { Manifest } from '../deploy/chart.ts';
import { AgentProcess } from '../processes/agent-process.ts';
import { type Door, type Doorkeeper, openDoor } from './door.ts';
import { account, accountUser, create, installationWithoutPods } from './installation.ts';
import { noteUsage } from './usage.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const { namespace } = account;

/** The replicas, each living on the node of the same number. */
export const replicas = ['agent-1', 'agent-2', 'agent-3'] as const;

export interface StageOptions {
  /** Default 3. */
  readonly nodes?: number;
  readonly timings?: ClusterTimings;
  /** The identities of the agents to start. Default {@link replicas}. */
  readonly agents?: readonly string[];
  /** Replaces parts of the policy that counts for every node that none of {@link policies} selects. */
  readonly policy?: object;
  /** Policies that come before it. */
  readonly policies?: readonly object[];
  /** The configuration of that name. */
  readonly returning?: object;
  /** More of the agents' configuration. */
  readonly settings?: object;
  /** Created before any agent starts. Default: nothing. */
  readonly before?: readonly Manifest[];
  /** The test makes admission refuse what agents do: that is not held against them in the end. Default false. */
  readonly provoked?: boolean;
  /** Stands between the agents and the API server. Default: nobody. */
  readonly doorkeeper?: Doorkeeper;
}

/** Enough of an object to find it by. */
interface Identified {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** What one scenario plays on; `await using` takes everything down. */
export class Stage implements AsyncDisposable {
  readonly cluster: ControlPlane;
  readonly #reader: KubernetesReader;
  readonly #transport: Transport;
  readonly #objects: KubernetesObjectApi;
  readonly #options: StageOptions;
  readonly #agents = new Map<string, AgentProcess>();
  #kubeconfig = '';
  #door: Door | undefined;

  private constructor(cluster: ControlPlane, options: StageOptions) {
    this.cluster = cluster;
    this.#options = options;
    const kubeConfig = loadKubeConfig({ path: cluster.kubeconfigPath });
    this.#transport = createTransport(kubeConfig);
    this.#reader = createReader({ transport: this.#transport });
    this.#objects = KubernetesObjectApi.makeApiClient(kubeConfig);
  }

  /** Returns once mysql-0 is Ready, every node has sent a heartbeat, and one of the agents leads. */
  static async open(options: StageOptions = {}): Promise<Stage> {
    const { nodes: count = 3, timings = {}, agents = replicas } = options;
    const cluster = await ControlPlane.start({ nodes: count, timings });
    const stage = new Stage(cluster, options);
    try {
      await create(cluster, [...installationWithoutPods(), ...(options.before ?? [])]);
      await stage.#createDatabase();
      await stage.#becomeAccount();
      for (const identity of agents) await stage.startAgent(identity);
      await stage.until('an agent leads', async () => (await stage.leader()) !== '');
      await stage.until('mysql-0 is Ready', async () => isReady(await stage.database()));
      // A kubelet makes its first one ten seconds after it has registered.
      await stage.until('every node has a Lease', async () => (await stage.#nodeLeases()) === count);
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.kill('SIGKILL')));
    await this.#transport.close();
    await noteUsage(this.cluster, { provoked: this.#options.provoked ?? false });
    await this.cluster.stop();
  }

  /**
   * Starts a replica: one of {@link replicas} in the network namespace of its node, so that it hears and says nothing
   * either when that machine goes; any other on a machine of its own that nothing happens to.
   */
  async startAgent(identity: string): Promise<AgentProcess> {
    const home: readonly string[] = replicas;
    const node = this.cluster.nodes[home.indexOf(identity)];
    const agent = await AgentProcess.start({
      config: configText(identity, this.#options),
      kubeconfig: this.#kubeconfig,
      within: node === undefined ? [] : ['ip', 'netns', 'exec', node.namespace],
    });
    this.#agents.set(identity, agent);
    return agent;
  }

  /** The same, and returns once it could lead. */
  async startReadyAgent(identity: string): Promise<void> {
    const agent = await this.startAgent(identity);
    const url = `${await agent.url()}/readyz`;
    await this.until(`${identity} is ready`, async () => (await fetch(url)).ok);
  }

  agent(identity: string): AgentProcess {
    const agent = this.#agents.get(identity);
    if (agent === undefined)
      throw new RangeError(`expected one of ${[...this.#agents.keys()].join(', ')}, found ${identity}`);
    return agent;
  }

  /** Stops whoever leads, as an update does, and returns once somebody else leads. */
  async changeLeader(): Promise<void> {
    const before = await this.leader();
    await this.agent(before).kill();
    await this.until(`somebody else than ${before} leads`, async () => {
      const now = await this.leader();
      return now !== '' && now !== before;
    });
  }

  /** The identity in the election Lease; empty when nobody leads. */
  async leader(): Promise<string> {
    const lease = await this.#objects
      .read({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { namespace, name: 'liberator' },
      })
      .catch(() => undefined);
    return (lease as { spec?: { holderIdentity?: string } } | undefined)?.spec?.holderIdentity ?? '';
  }

  database(): Promise<Pod | undefined> {
    return found(this.#reader.get(pods, { namespace: 'default', name: 'mysql-0' }));
  }

  /** The node that runs the database now. */
  async databaseNode(): Promise<string> {
    const node = (await this.database())?.spec?.nodeName;
    if (node === undefined) throw new RangeError('expected mysql-0 on a node, found it on none');
    return node;
  }

  /** Undefined when there is no Node of that name. */
  node(name: string): Promise<Node | undefined> {
    return found(this.#reader.get(nodes, { name }));
  }

  async nodeNames(): Promise<readonly string[]> {
    return (await this.#reader.list(nodes)).items.map(({ metadata }) => metadata.name).toSorted();
  }

  /** All that lies where records lie, as it lies there. */
  async recordObjects(): Promise<readonly ConfigMap[]> {
    const labelSelector = 'liberator.dev/takeover';
    return (await this.#reader.list(configMaps, { namespace, labelSelector })).items;
  }

  /** Those that can be read. */
  records(): Promise<readonly TakeoverRecord[]> {
    return readTakeoverRecords(this.#reader, namespace);
  }

  /** Says about a node, as a human would, that this death of it is real. */
  async confirmDead(node: string, deathId: string): Promise<void> {
    await this.annotate(node, { [confirmedDeadAnnotation]: deathId });
  }

  /** Leaves a crashed node as if it had died before its first heartbeat. */
  async forgetHeartbeats(node: string): Promise<void> {
    await this.#objects.delete({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { namespace: 'kube-node-lease', name: node },
    });
  }

  /** The keys of its taints; none when there is no Node of that name. */
  async taintsOf(node: string): Promise<readonly string[]> {
    return (await this.node(node))?.spec?.taints?.map(({ key }) => key) ?? [];
  }

  /** What was published about a node for that reason. */
  async eventsAbout(node: string, reason: string): Promise<readonly CoreEvent[]> {
    const fieldSelector = `involvedObject.kind=Node,involvedObject.name=${node},reason=${reason}`;
    return (await this.#reader.list(events, { namespace: 'default', fieldSelector })).items;
  }

  /** All that was published, about whatever it is. */
  async allEvents(): Promise<readonly CoreEvent[]> {
    return (await this.#reader.list(events)).items;
  }

  /** Those that were started and live. */
  get livingAgents(): readonly AgentProcess[] {
    return [...this.#agents.values()].filter(({ alive }) => alive);
  }

  /** All that were started. */
  get allAgents(): readonly AgentProcess[] {
    return [...this.#agents.values()];
  }

  /** Labels a node, as an administrator does. */
  async label(node: string, labels: Record<string, string>): Promise<void> {
    await this.#objects.patch({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, labels } });
  }

  async annotate(node: string, annotations: Record<string, string>): Promise<void> {
    await this.#objects.patch({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, annotations } });
  }

  /** Creates whatever it is, as an administrator. */
  async create(...manifests: readonly Manifest[]): Promise<void> {
    await create(this.cluster, manifests);
  }

  /** Merges into an object, as an administrator. */
  async patch(change: Identified): Promise<void> {
    await this.#objects.patch(
      change as Parameters<KubernetesObjectApi['patch']>[0],
      undefined,
      undefined,
      undefined,
      undefined,
      PatchStrategy.MergePatch,
    );
  }

  /** Asks for the end of an object, as an administrator; it may hang on a finalizer. */
  async remove(object: Identified): Promise<void> {
    await this.#objects.delete(object as Parameters<KubernetesObjectApi['delete']>[0]);
  }

  /** Undefined when there is no such pod. */
  pod(name: string): Promise<Pod | undefined> {
    return found(this.#reader.get(pods, { namespace: 'default', name }));
  }

  /** Every request of our account that changes one kind of thing, by the audit log, whatever the answer was. */
  async attempts(verb: 'delete' | 'patch', resource: 'nodes' | 'pods'): Promise<readonly AuditEvent[]> {
    const events = await this.cluster.audit({ verb, resource });
    return events.filter(({ user, stage }) => user === accountUser && stage === 'ResponseComplete');
  }

  /** Every DELETE that our account sent for the given resource and that the API server carried out. */
  async deletes(resource: 'nodes' | 'pods'): Promise<readonly AuditEvent[]> {
    const events = await this.cluster.audit({ verb: 'delete', resource });
    return events.filter(
      ({ user, stage, code }) => user === accountUser && stage === 'ResponseComplete' && code === 200,
    );
  }

  /** Fails with what is awaited, and with what the agents said last, when `condition` does not come true in time. */
  async until(what: string, condition: () => Promise<boolean>, timeoutMs = 120_000): Promise<void> {
    const end = performance.now() + timeoutMs;
    while (!(await condition())) {
      if (performance.now() > end) {
        const said = [...this.#agents].map(([name, agent]) => `${name}:\n${agent.lastLines(15)}`).join('\n');
        throw new Error(`waited ${timeoutMs / 1000} s in vain until ${what}\n${said}`);
      }
      await pause(250);
    }
  }

  /** The database runs elsewhere, Ready, as another pod of the same name with the same claim. */
  async untilRecovered(from: Pod): Promise<Pod> {
    await this.until('mysql-0 is Ready elsewhere', async () => {
      const pod = await this.database();
      return (
        isReady(pod) && pod?.metadata.uid !== from.metadata.uid && pod?.spec?.nodeName !== from.spec?.nodeName
      );
    });
    await this.until('its takeover is on record as recovered', async () =>
      (await this.records()).some(
        ({ node, result }) => node.name === from.spec?.nodeName && result === 'recovered',
      ),
    );
    const pod = await this.database();
    if (pod === undefined) throw new Error('mysql-0 was there and is gone');
    return pod;
  }

  async #nodeLeases(): Promise<number> {
    return (await this.#reader.list(leases, { namespace: 'kube-node-lease' })).items.length;
  }

  async #becomeAccount(): Promise<void> {
    this.#kubeconfig = await this.cluster.serviceAccountKubeconfig(account);
    const { doorkeeper } = this.#options;
    if (doorkeeper === undefined) return;
    this.#door = await openDoor(this.cluster, doorkeeper);
    const text = readFileSync(this.#kubeconfig, 'utf8').replace(this.cluster.url, this.#door.url);
    this.#kubeconfig = join(this.cluster.dir, 'door.kubeconfig');
    writeKubeconfig(this.#kubeconfig, text);
  }

  async #createDatabase(): Promise<void> {
    await this.#createObject({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'mysql-disk' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        storageClassName: 'standard',
        hostPath: { path: '/var/lib/mysql-disk' },
      },
    });
    await this.#createObject({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'mysql', namespace: 'default' },
      stringData: { 'root-password': crypto.randomUUID() },
    });
    await this.#create(join(root, 'packages/examples/mysql-statefulset/mysql.yaml'));
  }

  async #create(file: string): Promise<void> {
    for (const document of parseAllDocuments(readFileSync(file, 'utf8'))) {
      await this.#createObject(document.toJS());
    }
  }

  async #createObject(object: object): Promise<void> {
    await this.#objects.create(object as Parameters<KubernetesObjectApi['create']>[0]);
  }
}

/** The database's pod and its node. */
export async function databaseOn(stage: Stage): Promise<{ before: Pod; node: string }> {
  const before = await stage.database();
  const node = before?.spec?.nodeName;
  if (before === undefined || node === undefined)
    throw new Error('expected mysql-0 on a node, found it on none');
  return { before, node };
}

export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}

async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

function configText(identity: string, options: StageOptions): string {
  return stringify({
    namespace,
    identity,
    http: { address: '127.0.0.1', port: 0 },
    ...options.settings,
    ...(options.returning && { returning: options.returning }),
    policies: [
      ...(options.policies ?? []),
      {
        name: 'everything',
        nodes: { all: true },
        fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
        ...options.policy,
      },
    ],
  });
}
