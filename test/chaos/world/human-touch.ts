// What people and other programs do to a cluster behind Liberator's back: pauses, Nodes deleted, finalizers, spoiled records.
import { pausedAnnotation } from '@liberator/core';
import { resources, type Simulator, type VirtualClock } from '@liberator/simulator';
import { election } from './replica.ts';
import type { Truth } from './truth.ts';

const human = { user: 'human' };

const finalizer = 'example.com/hold';

/** Stands for the whole cluster where a node's name could stand. */
export const everything = '';

/** How a record is spoiled. */
export const spoilings = [
  'not-json',
  'empty',
  'newer-version',
  'without-node',
  'without-steps',
  'without-policy',
  'odd-pods',
] as const;

export type Spoiling = (typeof spoilings)[number];

interface SpoiledRecord {
  /** That it is about. */
  readonly node: string;
  /** Since when. */
  readonly at: number;
}

interface Draft {
  metadata: {
    annotations?: Record<string, string>;
    finalizers?: string[];
    labels?: Record<string, string>;
  };
  data?: Record<string, string>;
}

/** What people get their hands on. */
interface Touched {
  readonly clock: VirtualClock;
  readonly simulator: Simulator;
  readonly truth: Truth;
}

export class HumanTouch {
  readonly #world: Touched;
  readonly #cures = new Set<() => void>();
  readonly #brakes = new Map<string, number>();
  readonly #spoiled = new Map<string, SpoiledRecord>();
  readonly #deletedNodes = new Map<string, number>();
  #count = 0;

  constructor(world: Touched) {
    this.#world = world;
  }

  /** Since when somebody wants nothing to be done to a node, or to {@link everything}; undefined while nobody does. */
  brakeOn(node: string): number | undefined {
    return this.#brakes.get(node);
  }

  /** ConfigMaps whose record nobody can read now, by name. */
  get spoiled(): ReadonlyMap<string, SpoiledRecord> {
    return this.#spoiled;
  }

  /** Whether a record of the node can't be read: what was begun on it may still go on for a moment. */
  hasSpoiledRecord(node: string): boolean {
    return [...this.#spoiled.values()].some((one) => one.node === node);
  }

  /** When somebody last deleted the Node of a machine; undefined when nobody ever did. */
  nodeDeletedAt(machine: string): number | undefined {
    return this.#deletedNodes.get(machine);
  }

  /** Takes back whatever lasts. */
  putRight(): void {
    for (const cure of [...this.#cures]) cure();
  }

  /** Something that lasts until `cure` is called, which {@link putRight} does if nobody did before. */
  lasting(cure: () => void): () => void {
    const once = (): void => {
      if (this.#cures.delete(once)) cure();
    };
    this.#cures.add(once);
    return once;
  }

  /** Pauses one node, or {@link everything}. */
  pause(node: string): (() => void) | undefined {
    if (this.#brakes.has(node) || !this.#mark(node, 'wait')) return undefined;
    this.#brakes.set(node, this.#world.clock.now());
    return this.lasting(() => {
      this.#brakes.delete(node);
      this.#mark(node, undefined);
    });
  }

  deleteNode(name: string): void {
    const { simulator, truth, clock } = this.#world;
    if (truth.node(name) === undefined) return;
    this.#deletedNodes.set(name, clock.now());
    // Its annotations go with it.
    this.#brakes.delete(name);
    simulator.store.delete(resources.nodes, undefined, name, {}, human);
  }

  /** Deletes the Node and puts up another one of that name, as a program that registers machines does. */
  recreateNode(name: string): void {
    const { simulator, truth } = this.#world;
    const before = truth.node(name);
    if (before === undefined) return;
    this.deleteNode(name);
    // It hangs on a finalizer.
    if (truth.node(name) !== undefined) return;
    const { labels = {}, annotations = {} } = before.metadata;
    // What the kubelet put on it when it registered; it does that only once.
    const kept = Object.entries(annotations).filter(([key]) => key.startsWith('volumes.kubernetes.io/'));
    const metadata = { name, labels, annotations: Object.fromEntries(kept) };
    simulator.store.create(resources.nodes, { metadata }, human);
  }

  /** Keeps a pod or a Node from going when it is deleted. */
  hold(kind: 'pods' | 'nodes', name: string): (() => void) | undefined {
    const at = kind === 'pods' ? 'default' : undefined;
    const { store } = this.#world.simulator;
    const uid = store.find(resources[kind], at, name)?.metadata.uid;
    if (uid === undefined) return undefined;
    const write = (change: (finalizers: readonly string[]) => string[]): void => {
      if (store.find(resources[kind], at, name)?.metadata.uid !== uid) return;
      store.modify<Draft>(
        resources[kind],
        at,
        name,
        ({ metadata }) => {
          metadata.finalizers = change(metadata.finalizers ?? []);
          return true;
        },
        human,
      );
    };
    write((finalizers) => [...finalizers, finalizer]);
    return this.lasting(() => write((finalizers) => finalizers.filter((one) => one !== finalizer)));
  }

  /** Makes a record of a node unreadable, the open one if there is one; puts up one that is when the node has none. */
  spoilRecord(node: string, how: Spoiling): () => void {
    const { truth } = this.#world;
    const own = truth.recordMaps.filter(({ record }) => record?.node.name === node);
    const used = own.find(({ record }) => record?.result === undefined) ?? own.at(-1);
    return used === undefined ? this.#putUpSpoiled(node, how) : this.#spoil(used.name, node, how);
  }

  #spoil(name: string, node: string, how: Spoiling): () => void {
    const { store } = this.#world.simulator;
    const { namespace } = election;
    let before: Record<string, string> = {};
    store.modify<Draft>(
      resources.configmaps,
      namespace,
      name,
      (draft) => {
        before = { ...draft.data };
        draft.data = spoil(before['record.json'] ?? '{}', how);
        return true;
      },
      human,
    );
    this.#spoiled.set(name, { node, at: this.#world.clock.now() });
    return this.lasting(() => {
      this.#spoiled.delete(name);
      if (store.find(resources.configmaps, namespace, name) === undefined) return;
      const restore = (draft: Draft): boolean => {
        draft.data = before;
        return true;
      };
      store.modify<Draft>(resources.configmaps, namespace, name, restore, human);
    });
  }

  #putUpSpoiled(node: string, how: Spoiling): () => void {
    const { store } = this.#world.simulator;
    const { namespace } = election;
    const id = `spoiled-${++this.#count}`;
    const name = `liberator-takeover-${id}`;
    store.create(
      resources.configmaps,
      {
        metadata: {
          name,
          namespace,
          labels: { 'app.kubernetes.io/managed-by': 'liberator', 'liberator.dev/takeover': 'running' },
          annotations: { 'liberator.dev/node': node },
        },
        data: spoil(JSON.stringify(someRecord(id, node)), how),
      },
      human,
    );
    this.#spoiled.set(name, { node, at: this.#world.clock.now() });
    return this.lasting(() => {
      this.#spoiled.delete(name);
      if (store.find(resources.configmaps, namespace, name) === undefined) return;
      store.delete(resources.configmaps, namespace, name, {}, human);
    });
  }

  /** Whether there was something to write the mark on. */
  #mark(node: string, reason: string | undefined): boolean {
    const { store } = this.#world.simulator;
    const [type, namespace, name] =
      node === everything
        ? [resources.leases, election.namespace, election.name]
        : [resources.nodes, undefined, node];
    if (store.find(type, namespace, name) === undefined) return false;
    store.modify<Draft>(
      type,
      namespace,
      name,
      ({ metadata }) => {
        const { [pausedAnnotation]: _, ...others } = metadata.annotations ?? {};
        metadata.annotations = reason === undefined ? others : { ...others, [pausedAnnotation]: reason };
        return true;
      },
      human,
    );
    return true;
  }
}

function spoil(text: string, how: Spoiling): Record<string, string> {
  if (how === 'empty') return {};
  if (how === 'not-json') return { 'record.json': text.slice(0, text.length / 2) };
  const { node, steps, policy, ...others } = JSON.parse(text);
  const record = { node, steps, policy, ...others };
  switch (how) {
    case 'newer-version':
      Object.assign(record, { version: 2, node: [node] });
      break;
    case 'without-node':
      delete record.node;
      break;
    case 'without-steps':
      delete record.steps;
      break;
    case 'without-policy':
      delete record.policy;
      break;
    case 'odd-pods':
      record.pods = [null, { name: 7 }];
      break;
  }
  return { 'record.json': JSON.stringify(record) };
}

/** A record as this version writes it. */
function someRecord(id: string, node: string): object {
  return {
    version: 1,
    id,
    deathId: id,
    node: { name: node, uid: 'of-a-node-long-gone', bootId: '' },
    lastHeartbeat: '',
    epoch: 0,
    openedAt: '2026-01-01T00:00:00.000Z',
    evidence: 'unreachable',
    reasons: [],
    verdicts: [],
    policy: { name: 'all', node: 'delete', proof: 'required', drivers: ['switch'] },
    pods: [],
    steps: {},
  };
}
