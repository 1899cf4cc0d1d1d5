// What is really the case, whoever believes what: asked of machines and of stored objects, never of a controller.
import { type Clock, type Lease, type Node, outOfServiceTaint, type TakeoverRecord } from '@liberator/core';
import {
  type Machine,
  type ProbeOutcome,
  type RunningPod,
  resources,
  type Simulator,
} from '@liberator/simulator';
import { Heartbeats } from './heartbeats.ts';
import { election } from './replica.ts';

/** Names one pod of one StatefulSet for ever, whichever object bears the name. */
export function identityOf(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}

export class Truth {
  readonly #simulator: Simulator;
  readonly #machines: readonly Machine[];
  readonly #clock: Clock;
  /** As each machine was at the last look. */
  readonly #looked = new Map<Machine, { readonly outcome: ProbeOutcome; readonly speaks: boolean }>();
  readonly #reachableSince = new Map<string, number>();
  readonly #mutedSince = new Map<string, number>();
  #running: { readonly lists: readonly (readonly RunningPod[])[]; readonly all: readonly RunningPod[] } = {
    lists: [],
    all: [],
  };
  /** How many Nodes there were from when on, a new entry for each change. */
  readonly #counts: { readonly at: number; readonly count: number }[] = [];
  #countAt = 0;
  /** Stored objects never change, so each is read once. */
  readonly #recordMaps = new WeakMap<object, RecordMap>();

  /** By takeover id: when its record first was there. */
  readonly #openedAt = new Map<string, number>();
  readonly #heartbeats: Heartbeats;

  constructor(simulator: Simulator, clock: Clock) {
    this.#simulator = simulator;
    this.#machines = simulator.nodes;
    this.#clock = clock;
    this.#heartbeats = new Heartbeats(simulator, clock);
    simulator.store.watch(resources.configmaps, ({ object }) => {
      const record = readRecord(object as RecordSource);
      if (record !== undefined && !this.#openedAt.has(record.id)) this.#openedAt.set(record.id, clock.now());
    });
  }

  /** When the record of a takeover first was in the cluster, whatever its leader's clock says. */
  openedAt(takeoverId: string): number | undefined {
    return this.#openedAt.get(takeoverId);
  }

  /** Whether the API server has had a heartbeat of a node after `since`. */
  heardSince(node: string, since: number): boolean {
    return (this.#heartbeats.lastAt(node) ?? Number.NEGATIVE_INFINITY) > since;
  }

  /** See {@link Heartbeats}. */
  get heartbeats(): Heartbeats {
    return this.#heartbeats;
  }

  /** To be called after every event. */
  observe(): void {
    const now = this.#clock.now();
    for (const machine of this.#machines) {
      const outcome = machine.probe();
      const speaks = machine.speaks();
      const before = this.#looked.get(machine);
      if (before?.outcome === outcome && before.speaks === speaks) continue;
      this.#looked.set(machine, { outcome, speaks });
      const { name } = machine;
      if (outcome === 'silent') this.#reachableSince.delete(name);
      else if (!this.#reachableSince.has(name)) this.#reachableSince.set(name, now);
      if (speaks) this.#mutedSince.delete(name);
      else if (!this.#mutedSince.has(name)) this.#mutedSince.set(name, now);
    }
    if (now < this.#countAt) return;
    this.#countAt = now + 1_000;
    const count = this.#simulator.store.list(resources.nodes).length;
    if (count === this.#counts.at(-1)?.count) return;
    // The newest one of those that are older than a minute still held then.
    while ((this.#counts[1]?.at ?? now) < now - 60_000) this.#counts.shift();
    this.#counts.push({ at: now, count });
  }

  /** For how long a machine has been on and in reach of whoever knocks, without a break; 0 while it isn't. */
  reachableForMs(machine: string): number {
    const since = this.#reachableSince.get(machine);
    return since === undefined ? 0 : this.#clock.now() - since;
  }

  /** Machines whose kubelets have not been able to speak for at least `ms`, with the time since which they are mute. */
  muteFor(ms: number): ReadonlyMap<string, number> {
    const now = this.#clock.now();
    return new Map([...this.#mutedSince].filter(([, since]) => now - since >= ms));
  }

  /** The most Nodes that there were in the last minute: caches may show any of it. */
  get mostNodes(): number {
    const since = this.#clock.now() - 60_000;
    const held = this.#counts.filter((_, at) => (this.#counts[at + 1]?.at ?? since) >= since);
    return Math.max(...held.map(({ count }) => count), 0);
  }

  node(name: string): Node | undefined {
    return this.#simulator.store.find(resources.nodes, undefined, name) as Node | undefined;
  }

  get nodes(): readonly Node[] {
    return this.#simulator.store.list(resources.nodes) as unknown as readonly Node[];
  }

  isOutOfService(name: string): boolean {
    return this.node(name)?.spec?.taints?.some(({ key }) => key === outOfServiceTaint.key) ?? false;
  }

  pod(namespace: string, name: string): Pod | undefined {
    return this.#simulator.store.find(resources.pods, namespace, name) as Pod | undefined;
  }

  /** The pods of a workload of that name, in all states. */
  podsOf(namespace: string, app: string): readonly Pod[] {
    const labelSelector = `app=${app}`;
    return this.#simulator.store.list(resources.pods, {
      namespace,
      labelSelector,
    }) as unknown as readonly Pod[];
  }

  get electionLease(): Lease | undefined {
    const { namespace, name } = election;
    return this.#simulator.store.find(resources.leases, namespace, name) as Lease | undefined;
  }

  /** Those that can be read. */
  get records(): readonly TakeoverRecord[] {
    return this.recordMaps.flatMap(({ record }) => record ?? []);
  }

  /** Every ConfigMap that holds, or should hold, a record; without one that can be read, `record` is undefined. */
  get recordMaps(): readonly RecordMap[] {
    const found = this.#simulator.store.list(resources.configmaps, { namespace: election.namespace });
    return found
      .filter(({ metadata }) => metadata.name.startsWith('liberator-takeover-'))
      .map((configMap) => {
        let held = this.#recordMaps.get(configMap);
        if (held === undefined) {
          held = { name: configMap.metadata.name, record: readRecord(configMap as RecordSource) };
          this.#recordMaps.set(configMap, held);
        }
        return held;
      });
  }

  /** Whatever the API says; the same list for as long as nothing starts or stops. */
  runningPods(): readonly RunningPod[] {
    const lists = this.#machines.map((machine) => machine.runningPods());
    if (lists.some((list, at) => list !== this.#running.lists[at]))
      this.#running = { lists, all: lists.flat() };
    return this.#running.all;
  }

  isAlive(machine: string): boolean {
    return this.#simulator.machine(machine).isAlive();
  }
}

export interface RecordMap {
  readonly name: string;
  readonly record: TakeoverRecord | undefined;
}

interface RecordSource {
  readonly data?: Readonly<Record<string, string>>;
}

/** As this version of the program writes them: anything else is nothing that the invariants can judge by. */
function readRecord({ data }: RecordSource): TakeoverRecord | undefined {
  try {
    const record = JSON.parse(data?.['record.json'] ?? '') as Partial<TakeoverRecord> | null;
    const whole =
      record?.version === 1 &&
      typeof record.node?.name === 'string' &&
      typeof record.steps === 'object' &&
      typeof record.policy === 'object' &&
      record.pods?.every((pod) => typeof pod?.uid === 'string');
    return whole ? (record as TakeoverRecord) : undefined;
  } catch {
    return undefined;
  }
}

export interface Pod {
  readonly metadata: { readonly uid: string; readonly name: string; readonly deletionTimestamp?: string };
  readonly spec?: { readonly nodeName?: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
