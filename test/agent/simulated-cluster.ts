// A simulated cluster that lives ten times as fast, with a database on it, and agents in processes of their own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  confirmedDeadAnnotation,
  type Lease,
  type Node,
  neededPermissions,
  observersElection,
  type Pod,
  type StatusDocument,
  type TakeoverRecord,
} from '@liberator/core';
import {
  type AccessAttributes,
  type AuditEvent,
  resources,
  Simulator,
  type SimulatorOptions,
} from '@liberator/simulator';
import { stringify } from 'yaml';
import { documentedConfirmationRoles } from '../documents/roles.ts';
import { AgentProcess } from '../processes/agent-process.ts';
import { type HostPort, openHostPort } from './host-port.ts';

const namespace = 'liberator';
const election = { namespace, name: 'liberator' };
const asTest = { user: 'test' };
const nodeNames = ['node-1', 'node-2', 'node-3', 'node-4'] as const;

/** Three processes at once take their time to load on a busy machine. */
const startLimitMs = 60_000;

/** Ten times as fast as stock Kubernetes, but for heartbeats: whole seconds survive a busy machine. */
const timings: NonNullable<SimulatorOptions['timings']> = {
  speedUp: 10,
  leaseRenewMs: 1_000,
  nodeStatusUpdateMs: 1_000,
};

/** The fastest that these heartbeats allow, with the room that a busy machine needs. */
const swift = {
  namespace,
  heartbeatInterval: '1s',
  election: { leaseDuration: '3s', renewDeadline: '2s', retryPeriod: '400ms' },
  probe: { interval: '300ms', timeout: '500ms' },
  http: { address: '127.0.0.1', port: 0 },
};

const swiftPolicy = {
  name: 'all',
  nodes: { all: true },
  detection: { suspectAfter: '2s', deadAfter: '2500ms', silentProbes: 2 },
};

/** The text of a configuration for these heartbeats. */
export function configOf(fencing: Fencing, policy: object = {}): object {
  return { ...swift, policies: [{ ...swiftPolicy, fencing, ...policy }] };
}

export interface Fencing {
  readonly ladder: readonly { readonly fencer: string; readonly for?: string }[];
  readonly proof: 'required' | 'optional';
}

export const withoutProof: Fencing = { ladder: [{ fencer: 'none' }], proof: 'optional' };
export const withHuman: Fencing = { ladder: [{ fencer: 'manual' }], proof: 'required' };

export class SimulatedCluster implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly agents: AgentProcess[] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'liberator-cluster-'));
  readonly #hosts: ReadonlyMap<string, HostPort>;

  private constructor(simulator: Simulator, hosts: ReadonlyMap<string, HostPort>) {
    this.simulator = simulator;
    this.#hosts = hosts;
  }

  /** Four nodes, and a database on one of them. */
  static async start(): Promise<SimulatedCluster> {
    const hosts = new Map(
      await Promise.all(nodeNames.map(async (name) => [name, await openHostPort()] as const)),
    );
    const nodes = [...hosts].map(([name, { address, port }]) => ({ name, address, kubeletPort: port }));
    const simulator = await Simulator.start({ http: true, nodes, timings, authorize: mayAgent });
    const cluster = new SimulatedCluster(simulator, hosts);
    simulator.store.create(resources.namespaces, { metadata: { name: namespace } }, asTest);
    simulator.store.create(resources.statefulsets, database, asTest);
    await simulator.until(() => isReady(cluster.database()), { limitMs: 20_000 });
    return cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.agents.map((agent) => agent[Symbol.asyncDispose]()));
    await this.simulator.stop();
    await Promise.all([...this.#hosts.values()].map((host) => host[Symbol.asyncDispose]()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Three agents, once all of them are ready and one leads. Each has an identity and an account of the same name. */
  async startAgents(fencing: Fencing, more: (identity: string) => object = () => ({})): Promise<void> {
    const config = configOf(fencing);
    const starting = ['agent-1', 'agent-2', 'agent-3'].map((identity) =>
      this.startAgent(identity, { ...config, ...more(identity) }),
    );
    const agents = await Promise.all(starting);
    await Promise.all(agents.map((agent) => this.#untilAtHome(agent)));
    await this.leader();
  }

  /** One that only observes, once it is at home. */
  async startObserver(fencing: Fencing, policy: object): Promise<AgentProcess> {
    const observer = await this.startAgent('observer-1', { ...configOf(fencing, policy), mode: 'observe' });
    await this.#untilAtHome(observer);
    return observer;
  }

  /** It is ready, and everybody has heard every host once: before that, silence says nothing. */
  async #untilAtHome(agent: AgentProcess): Promise<void> {
    await agent.waitFor(({ event }) => event === 'ready', startLimitMs);
    await this.until(
      'every host to be heard',
      () =>
        [...this.#hosts].every(
          ([name, { callers }]) => this.node(name) === undefined || callers() >= this.agents.length,
        ),
      startLimitMs,
    );
  }

  /** The machine of a node loses its power. */
  async crash(node: string): Promise<void> {
    await this.#host(node).silence();
    this.simulator.machine(node).crash();
  }

  /** Something answers at its address again, be it another machine; its kubelet stays away. */
  answerAgain(node: string): void {
    this.#host(node).answer();
  }

  /** Nobody reaches anybody any more, until {@link healAll}. */
  async cutAll(): Promise<void> {
    await Promise.all([...this.#hosts.values()].map((host) => host.silence()));
    for (const machine of this.simulator.nodes) machine.cut();
  }

  healAll(): void {
    for (const host of this.#hosts.values()) host.answer();
    for (const machine of this.simulator.nodes) machine.heal();
  }

  #host(node: string): HostPort {
    const host = this.#hosts.get(node);
    if (host === undefined) throw new RangeError(`expected one of ${nodeNames.join(', ')}, found ${node}`);
    return host;
  }

  async startAgent(identity: string, config: object): Promise<AgentProcess> {
    const text = stringify({ identity, ...config });
    const agent = await AgentProcess.start({ config: text, kubeconfig: this.kubeconfig(identity) });
    this.agents.push(agent);
    return agent;
  }

  /** The path of a kubeconfig file for an account. */
  kubeconfig(user: string): string {
    const path = join(this.#folder, `${user}.kubeconfig`);
    writeFileSync(path, this.simulator.kubeconfig({ user }));
    return path;
  }

  /** Whoever leads, once somebody does, as the Lease says it; `except` for the one that is on its way out. */
  async leader(except?: string): Promise<AgentProcess> {
    let holder = '';
    await this.until(`an agent other than ${except ?? 'nobody'} to lead`, () => {
      const lease = this.simulator.store.find(resources.leases, namespace, 'liberator') as Lease | undefined;
      holder = lease?.spec?.holderIdentity ?? '';
      return holder !== '' && holder !== except;
    });
    return this.agent(holder);
  }

  agent(identity: string): AgentProcess {
    const agent = this.agents.find(({ entries: [first] }) => first?.['identity'] === identity);
    if (agent === undefined) throw new RangeError(`expected the identity of an agent, found ${identity}`);
    return agent;
  }

  database(): Pod | undefined {
    return this.simulator.store.find(resources.pods, 'default', 'database-0') as Pod | undefined;
  }

  /** The node that runs the database. */
  databaseNode(): string {
    const name = this.database()?.spec?.nodeName;
    if (name === undefined) throw new Error('expected the database on a node, found it on none');
    return name;
  }

  /** The volume that the database writes to. */
  databaseVolume(): string | undefined {
    const claim = this.simulator.store.find(resources.persistentvolumeclaims, 'default', 'data-database-0') as
      | { readonly spec?: { readonly volumeName?: string } }
      | undefined;
    return claim?.spec?.volumeName;
  }

  records(): readonly TakeoverRecord[] {
    const found = this.simulator.store.list(resources.configmaps, {
      namespace,
      labelSelector: 'liberator.dev/takeover',
    }) as readonly { readonly data?: Readonly<Record<string, string>> }[];
    return found.map(({ data }) => JSON.parse(data?.['record.json'] ?? '') as TakeoverRecord);
  }

  /** What the leader published last. */
  status(): StatusDocument | undefined {
    const found = this.simulator.store.find(resources.configmaps, namespace, 'liberator-status') as
      | { readonly data?: Readonly<Record<string, string>> }
      | undefined;
    return found && (JSON.parse(found.data?.['status.json'] ?? '') as StatusDocument);
  }

  /** What agents did, apart from reading and from the election. */
  writes(): readonly AuditEvent[] {
    const reads = new Set(['get', 'list', 'watch']);
    return this.simulator
      .audit()
      .filter(
        ({ user, verb, resource }) => user.startsWith('agent-') && !reads.has(verb) && resource !== 'leases',
      )
      .filter(({ resource }) => resource !== 'selfsubjectaccessreviews');
  }

  /** Successful deletions by agents. */
  deletions(resource: string): readonly AuditEvent[] {
    return this.writes().filter(
      (event) => event.resource === resource && event.verb === 'delete' && event.code < 300,
    );
  }

  /** Says, as a human would, that the machine of a node is off. */
  confirmDead(node: string, deathId: string): void {
    this.simulator.store.modify<{ metadata: { annotations?: Record<string, string> } }>(
      resources.nodes,
      undefined,
      node,
      ({ metadata }) => {
        metadata.annotations = { ...metadata.annotations, [confirmedDeadAnnotation]: deathId };
        return true;
      },
      asTest,
    );
  }

  node(name: string): Node | undefined {
    return this.simulator.store.find(resources.nodes, undefined, name) as Node | undefined;
  }

  /** The database runs elsewhere, and its takeover is closed. */
  async recovered(from: string): Promise<TakeoverRecord> {
    await this.until(`the takeover of ${from} to be over`, () =>
      this.records().some(({ node, result }) => node.name === from && result !== undefined),
    );
    const record = this.records().find(({ node }) => node.name === from);
    if (record === undefined) throw new Error('the record was there and is gone');
    return record;
  }

  /** @throws Error with what is awaited and what every agent said last */
  async until(what: string, reached: () => boolean, limitMs: number = 40_000): Promise<void> {
    try {
      await this.simulator.until(reached, { limitMs });
    } catch (cause) {
      const said = this.agents.map((agent) => agent.lastLines(15)).join('\n---\n');
      throw new Error(`waited ${limitMs} ms in vain for ${what}\n${said}`, { cause });
    }
  }
}

const permissions = neededPermissions({
  namespace,
  election,
  guardNamespaces: ['liberator-guards'],
});

const observersPermissions = neededPermissions({
  namespace,
  election: observersElection(election),
  mode: 'observe',
});

const confirmation = documentedConfirmationRoles();

/** Alice may look, and vouch for deaths: what the documentation gives to whoever does that. */
function mayVouch({ verb, group, resource, namespace: where }: AccessAttributes): boolean {
  return confirmation.some(({ kind, rules }) => {
    if (kind === 'Role' && where !== namespace) return false;
    return rules.some(
      ({ apiGroups, resources: named, verbs }) =>
        apiGroups.includes(group) && named.includes(resource) && verbs.includes(verb),
    );
  });
}

/** Agents may do what they ask for at their start, and nothing else; strangers nothing but ask who they are. */
function mayAgent(access: AccessAttributes): boolean {
  if (access.resource === 'selfsubjectreviews') return true;
  if (access.user === 'stranger') return false;
  if (access.user === 'alice') return mayVouch(access);
  const observes = access.user.startsWith('observer-');
  if (!observes && !access.user.startsWith('agent-')) return true;
  return (observes ? observersPermissions : permissions).some(
    ({ verb, resource, namespace, name }) =>
      verb === access.verb &&
      resource.plural === access.resource &&
      resource.group === access.group &&
      (namespace === undefined || namespace === access.namespace) &&
      (name === undefined || access.name === undefined || name === access.name),
  );
}

export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
}

const labels = { app: 'database' };

const database = {
  metadata: { name: 'database', namespace: 'default' },
  spec: {
    serviceName: 'database',
    replicas: 1,
    selector: { matchLabels: labels },
    template: {
      metadata: { labels },
      spec: { containers: [{ name: 'database', image: 'example.com/database:1' }] },
    },
    volumeClaimTemplates: [
      {
        metadata: { name: 'data' },
        spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
      },
    ],
  },
};
