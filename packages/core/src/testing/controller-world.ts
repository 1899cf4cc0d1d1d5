// Four nodes, an API server and any number of controllers, in virtual time.
import { onTestFinished } from 'vitest';
import { Controller } from '../controller.ts';
import type { ControllerOptions } from '../controller-options.ts';
import type { ProbeResult } from '../evidence/fact.ts';
import type { Lease } from '../kubernetes/objects.ts';
import type { KubernetesReader } from '../kubernetes/reader.ts';
import { leases, nodes } from '../kubernetes/resources.ts';
import { sleep } from '../time/clock.ts';
import { clusterWithDeadNode } from './dead-node.ts';
import { anyNode } from './fleet-objects.ts';
import { ManualClock } from './manual-clock.ts';
import type { MemoryCluster } from './memory-cluster.ts';
import { MemoryLease, type RequestFate } from './memory-lease.ts';
import { MemoryPauseStore } from './memory-pause-store.ts';
import { type About, MemoryReader } from './memory-reader.ts';

export const election = { namespace: 'liberator', name: 'liberator' };

/** One replica, and everything that it told. */
export class Replica {
  readonly told: string[] = [];
  readonly errors: { where: string; error: unknown }[] = [];
  readonly stop: AbortController = new AbortController();
  readonly controller: Controller;
  /** What becomes of its requests for the election Lease. */
  fate: RequestFate = {};
  outcome: 'stopped' | { threw: unknown } | undefined;

  constructor(world: World, identity: string, options: Partial<ControllerOptions> = {}) {
    this.controller = new Controller({
      reader: world.reader,
      cluster: world.cluster,
      leaseStore: world.lease.storeFor({ clock: world.clock, fate: () => this.fate }),
      election,
      identity,
      policies: [anyNode],
      fencers: [
        {
          name: 'ipmi',
          fence: async () => ({ outcome: 'fenced', proof: 'powered-off', detail: 'the BMC says off' }),
        },
      ],
      probe: async ({ metadata }) => world.answers(metadata.name),
      clock: world.clock,
      pauseStore: world.pauseStore,
      random: { next: () => 0 },
      ...options,
    });
    this.controller.on('health', ({ node, to }) => this.told.push(`${world.seconds} ${node} is ${to}`));
    this.controller.on('sight', ({ blind }) =>
      this.told.push(`${world.seconds} ${blind.length === 0 ? 'sees' : 'blind'}`),
    );
    this.controller.on('leadership', ({ leader, epoch }) =>
      this.told.push(`${world.seconds} ${leader || 'nobody'} leads ${epoch ?? ''}`.trim()),
    );
    this.controller.on('decision', ({ node, decision }) =>
      this.told.push(`${world.seconds} ${node}: ${decision.action}`),
    );
    this.controller.on('takeover', ({ step, phase, record }) => {
      if (phase === 'done' && (step === 'claim' || step === 'close'))
        this.told.push(`${world.seconds} ${step} ${record.node.name}`);
    });
    this.controller.on('error', (error) => this.errors.push(error));
  }

  run(): this {
    this.controller.run(this.stop.signal).then(
      () => {
        this.outcome = 'stopped';
      },
      (threw: unknown) => {
        this.outcome = { threw };
      },
    );
    return this;
  }

  /** What it told about one thing. */
  about(pattern: RegExp): readonly string[] {
    return this.told.filter((line) => pattern.test(line));
  }
}

/** Four nodes whose kubelets renew their Leases out of step, on an API server that all replicas watch. */
export class World {
  readonly clock: ManualClock = new ManualClock({ turns: 2 });
  readonly cluster: MemoryCluster = clusterWithDeadNode(this.clock);
  readonly reader: MemoryReader = new MemoryReader(this.clock);
  readonly lease: MemoryLease = new MemoryLease(this.clock);
  readonly pauseStore: MemoryPauseStore = new MemoryPauseStore(this.lease, { comparesVersions: false });
  readonly dead: Set<string> = new Set();
  /** Kubelets cut off from the API server, on machines that are up. */
  readonly cut: Set<string> = new Set();
  #shownLease: Lease | undefined;
  readonly #replicas: Replica[] = [];

  constructor() {
    for (const name of ['node-3', 'node-4']) this.cluster.putNode({ metadata: { name, uid: `uid-${name}` } });
    for (const name of this.cluster.nodes.keys()) {
      this.cluster.changeNode(name, (node) => ({
        ...node,
        status: { ...node.status, conditions: [{ type: 'Ready', status: 'True' }] },
      }));
      this.cluster.renew(name, 'at first');
    }
    this.#mirror();
    onTestFinished(async () => {
      for (const { stop } of this.#replicas) stop.abort();
      await this.clock.advance(60_000);
    });
  }

  get seconds(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  replica(identity: string, options?: Partial<ControllerOptions>): Replica {
    const replica = new Replica(this, identity, options);
    this.#replicas.push(replica);
    return replica;
  }

  /** The same API server, seen by somebody whose lists of some kinds don't get through. */
  slowReader(slow: About): KubernetesReader {
    const { reader, clock } = this;
    return {
      get: (resource, at) => reader.get(resource, at),
      list: (...args) => reader.list(...args),
      async *listPages(resource, options = {}) {
        while (slow(resource.plural, options.namespace)) {
          if (!(await sleep(clock, 1_000, options.signal))) throw new Error('aborted');
        }
        yield* reader.listPages(resource, options);
      },
      watch: (...args) => reader.watch(...args),
    };
  }

  answers(name: string): ProbeResult {
    return this.dead.has(name) ? 'silent' : 'answered';
  }

  /** Of the election Lease, or of the first one that there will be. */
  get electionAnnotations(): Readonly<Record<string, string>> {
    return this.lease.annotations;
  }

  set electionAnnotations(annotations: Readonly<Record<string, string>>) {
    this.lease.annotations = annotations;
  }

  /** A tenth of a second at a time: kubelets renew, and the API server shows what changed. */
  async pass(seconds: number): Promise<this> {
    for (let i = 0; i < seconds * 10; i++) {
      const phase = this.clock.now() % 10_000;
      for (const [index, name] of [...this.cluster.nodes.keys()].entries()) {
        const renews = phase === index * 2_500 && !this.dead.has(name) && !this.cut.has(name);
        if (renews) this.cluster.renew(name, String(this.clock.now()));
      }
      this.#mirror();
      await this.clock.advance(100);
    }
    return this;
  }

  #mirror(): void {
    for (const node of this.reader.all(nodes))
      if (!this.cluster.nodes.has(node.metadata.name)) this.reader.remove(nodes, node);
    for (const node of this.cluster.nodes.values()) this.reader.put(nodes, node);
    for (const lease of this.cluster.leases.values()) this.reader.put(leases, lease);
    const { current } = this.lease;
    const shownBefore = this.#shownLease;
    if (shownBefore !== undefined && shownBefore.metadata.uid !== current?.uid) {
      this.reader.remove(leases, shownBefore);
    }
    this.#shownLease = undefined;
    if (current === undefined) return;
    const resourceVersion = `${current.resourceVersion} ${JSON.stringify(this.electionAnnotations)}`;
    const metadata = {
      ...election,
      uid: current.uid,
      resourceVersion,
      annotations: this.electionAnnotations,
    };
    const shown: Lease = { metadata, spec: current.record };
    this.reader.put(leases, shown);
    this.#shownLease = shown;
  }
}
