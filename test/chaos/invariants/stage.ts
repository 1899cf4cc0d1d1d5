// A small world in which no controller runs: what it would do is said by the test, and one invariant looks at it.
import {
  defaultHeartbeatDetection,
  type FencingRules,
  fencersIn,
  type TakeoverRecord,
} from '@liberator/core';
import { resources } from '@liberator/simulator';
import { election } from '../world/replica.ts';
import type { Scenario } from '../world/scenario.ts';
import { World } from '../world/world.ts';
import type { Write, WriteKind } from '../world/writes.ts';
import type { Invariant, Watcher } from './invariant.ts';

export interface StageOptions {
  readonly proof?: 'required' | 'optional';
  readonly fencing?: Partial<FencingRules>;
  readonly maxDead?: number;
  readonly nodes?: number;
}

const agent = { user: 'replica-1' };

/** A cluster whose nodes are Ready and whose pods run. */
export async function setStage(invariant: Invariant, options: StageOptions = {}): Promise<Stage> {
  const world = await World.make(scenarioWith(options), []);
  const stage = new Stage(world, invariant.watch(world));
  await stage.pass(60_000);
  return stage;
}

export class Stage implements AsyncDisposable {
  readonly world: World;
  readonly #watcher: Watcher;
  #records = 0;

  constructor(world: World, watcher: Watcher) {
    this.world = world;
    this.#watcher = watcher;
  }

  /** Lets time pass; returns the first thing that is found to be wrong. */
  async pass(ms: number): Promise<string | undefined> {
    let found: string | undefined;
    await this.world.run(this.world.clock.now() + ms, () => {
      found ??= this.#watcher.check?.();
      return found !== undefined;
    });
    return found;
  }

  /** A replica sends a write about an object as it is now. */
  send(kind: WriteKind, name: string, more: Partial<Write> = {}): string | undefined {
    const [replica] = this.world.replicas;
    if (replica === undefined) throw new RangeError('expected a replica, found none');
    return this.#watcher.sent?.({ replica, write: this.#write(kind, name, more) });
  }

  /** A write arrived, and was done. */
  apply(kind: WriteKind, name: string, more: Partial<Write> = {}): string | undefined {
    return this.#watcher.applied?.({ ...agent, write: this.#write(kind, name, more), status: 200 });
  }

  /** The switch is told to switch a node off. */
  order(node: string, by = 'switch'): string | undefined {
    return this.#watcher.ordered?.(this.world.simulator.machine(node), by);
  }

  fence(node: string): string | undefined {
    return this.#watcher.fenced?.(this.world.simulator.machine(node), 'switch');
  }

  /** Puts up a record and lets everybody see it. */
  async record(node: string, more: Partial<TakeoverRecord> = {}): Promise<TakeoverRecord> {
    const { truth, simulator } = this.world;
    const id = `takeover-${++this.#records}`;
    const record: TakeoverRecord = {
      version: 1,
      id,
      deathId: id,
      node: { name: node, uid: truth.node(node)?.metadata.uid ?? 'gone', bootId: '' },
      lastHeartbeat: this.renewTime(node),
      epoch: 1,
      openedAt: '2026-01-01T00:00:00.000Z',
      evidence: 'unreachable',
      reasons: [],
      verdicts: [],
      policy: {
        name: 'all',
        node: 'keep',
        ...this.world.scenario.policy.fencing,
        drivers: fencersIn(this.world.scenario.policy.fencing),
      },
      pods: this.podsOn(node).map((name) => ({
        namespace: 'default',
        name,
        uid: truth.pod('default', name)?.metadata.uid ?? '',
        volumes: [],
      })),
      steps: {},
      ...more,
    };
    simulator.store.create(
      resources.configmaps,
      {
        metadata: { name: `liberator-takeover-${id}`, namespace: election.namespace },
        data: { 'record.json': JSON.stringify(record) },
      },
      agent,
    );
    await this.pass(1);
    return record;
  }

  /** Somebody writes to that record, and everybody sees it. */
  async rewrite(record: TakeoverRecord): Promise<string | undefined> {
    const { simulator } = this.world;
    simulator.store.modify<{ metadata: { name: string }; data: Record<string, string> }>(
      resources.configmaps,
      election.namespace,
      `liberator-takeover-${record.id}`,
      (map) => {
        map.data = { 'record.json': JSON.stringify(record) };
        return true;
      },
      agent,
    );
    await this.pass(1);
    return this.apply('record', record.node.name);
  }

  renewTime(node: string): string {
    const lease = this.world.simulator.store.find(resources.leases, 'kube-node-lease', node);
    return (lease?.spec as { renewTime?: string } | undefined)?.renewTime ?? '';
  }

  podsOn(node: string): readonly string[] {
    return this.world.truth
      .podsOf('default', 'set-1')
      .filter(({ spec }) => spec?.nodeName === node)
      .map(({ metadata }) => metadata.name);
  }

  /** The first node that has a pod, with one of its pods. */
  get loaded(): { readonly node: string; readonly pod: string } {
    for (const { name: node } of this.world.simulator.nodes) {
      const [pod] = this.podsOn(node);
      if (pod !== undefined) return { node, pod };
    }
    throw new RangeError('expected a node with a pod, found none');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }

  #write(kind: WriteKind, name: string, more: Partial<Write>): Write {
    const { truth } = this.world;
    const namespace = kind === 'delete-pod' ? 'default' : undefined;
    const found = namespace === undefined ? truth.node(name) : truth.pod(namespace, name);
    return {
      kind,
      method: kind.startsWith('delete') ? 'DELETE' : 'PATCH',
      namespace,
      name,
      uid: found?.metadata.uid,
      resourceVersion: '1',
      about: undefined,
      ...more,
    };
  }
}

function scenarioWith({ proof = 'required', fencing = {}, maxDead = 1, nodes = 4 }: StageOptions): Scenario {
  return {
    seed: 1,
    nodes: Array.from({ length: nodes }, (_, at) => ({ name: `node-${at + 1}` })),
    sets: [{ name: 'set-1', replicas: 2, volumes: false }],
    replicas: [{ name: 'replica-1', clockRate: 1 }],
    policy: {
      name: 'all',
      nodes: { all: true },
      detection: defaultHeartbeatDetection,
      controlPlane: false,
      evidence: 'unreachable',
      budget: { maxDead, maxDeadPercent: 50 },
      fencing: { ladder: [{ fencer: 'switch' }], proof, ...fencing },
      node: 'keep',
    },
    switches: [{ name: 'switch', takesMs: 100, usually: 'fine' }],
    repairMs: 60_000,
    podGcMs: 20_000,
    faults: [],
    faultsFromMs: 0,
    faultsUntilMs: 0,
    staysOff: undefined,
  };
}
