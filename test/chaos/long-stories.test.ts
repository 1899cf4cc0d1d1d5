// Stories that take days, or every replica: real controllers on a simulated cluster, in virtual time.
import {
  Controller,
  connect,
  defaultHeartbeatDetection,
  type Node,
  noneFencer,
  type Policy,
} from '@liberator/core';
import { type ResourceType, resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const election = { namespace: 'liberator', name: 'liberator' };
const human = { user: 'human' };
const nodes = ['node-1', 'node-2', 'node-3', 'node-4', 'node-5'] as const;
const databases: Policy = {
  name: 'databases',
  nodes: { matchLabels: { role: 'db' } },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 2, maxDeadPercent: 34 },
  fencing: { drivers: ['none'], proof: 'optional' },
  node: 'delete',
};

let clock: VirtualClock;
let simulator: Simulator;
let running: { stop: AbortController; ended: Promise<void> }[] = [];

beforeEach(async () => {
  clock = new VirtualClock();
  simulator = await Simulator.start({ nodes: nodes.length, clock, random: seededRandom(1) });
  await simulator.until(() => simulator.nodesReady());
  simulator.store.create(resources.namespaces, { metadata: { name: 'liberator' } }, human);
});

afterEach(async () => {
  await stopAll();
  await simulator.stop();
});

const pass = (seconds: number): Promise<void> => clock.advance(seconds * 1_000);

/** Starts a replica, anew whenever it ends by itself, as Kubernetes does. */
function run(name: string): Controller[] {
  const lives: Controller[] = [];
  const stop = new AbortController();
  const live = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const identity = `${name}-${lives.length}`;
      const transport = simulator.transport({ user: 'agent' });
      const controller = new Controller({
        ...connect({
          transport,
          leaseTransport: transport,
          namespace: 'liberator',
          election,
          identity,
          clock,
        }),
        election,
        identity,
        policies: [databases],
        fencers: [noneFencer],
        probe: simulator.probe(),
        clock,
      });
      lives.push(controller);
      await controller.run(stop.signal).catch(() => {});
      await transport.close();
    }
  };
  running.push({ stop, ended: live() });
  return lives;
}

async function stopAll(): Promise<void> {
  for (const { stop } of running) stop.abort();
  await clock.runUntilSettled(Promise.all(running.map(({ ended }) => ended)));
  running = [];
}

function change<T>(type: ResourceType, namespace: string | undefined, name: string, to: (one: T) => T): void {
  simulator.store.modify<object>(
    type,
    namespace,
    name,
    (draft) => {
      Object.assign(draft, structuredClone(to(draft as T)));
      return true;
    },
    human,
  );
}

const isThere = (name: string): boolean =>
  simulator.store.find(resources.nodes, undefined, name) !== undefined;

const label = (name: string): void =>
  change<Node>(resources.nodes, undefined, name, ({ metadata, ...node }) => ({
    ...node,
    metadata: { ...metadata, labels: { ...metadata.labels, role: 'db' } },
  }));

describe('two of five machines that are off for good, and that no policy selects', () => {
  beforeEach(async () => {
    for (const name of nodes.slice(2)) label(name);
    for (const name of nodes.slice(0, 2)) simulator.machine(name).crash();
    await pass(7 * 86_400);
  });

  it('do not keep an agent that starts after that from helping when a third one dies', async () => {
    run('a');
    await pass(60);
    simulator.machine('node-3').crash();
    await pass(45);
    expect(nodes.map(isThere)).toEqual([true, true, false, true, true]);
  });

  it('do not keep one from it after the API server was away', async () => {
    run('a');
    await pass(300);
    simulator.faults.add({ match: { user: 'agent' }, effect: { kind: 'hang' }, forMs: 40_000 });
    await pass(120);
    simulator.machine('node-3').crash();
    await pass(45);
    expect(nodes.map(isThere)).toEqual([true, true, false, true, true]);
  });
});

describe('an agent that starts in the middle of an outage', () => {
  it.each([
    { what: 'which has just begun', secondsBefore: 1 },
    { what: 'for which Kubernetes has given up most nodes', secondsBefore: 90 },
  ])('$what takes no node for dead before it could know better', async ({ secondsBefore }) => {
    for (const name of nodes) label(name);
    for (const name of nodes.slice(0, 3)) simulator.machine(name).crash();
    await pass(secondsBefore);
    const lives = run('a');
    await pass(115);
    expect(nodes.every(isThere)).toBe(true);
    expect(lives.at(-1)?.blind).not.toEqual([]);
  });
});

describe('a pause of everything', () => {
  it('outlives all replicas and their Lease, and ends when its mark is taken off', async () => {
    const paused = (): unknown =>
      simulator.store.find(resources.leases, 'liberator', 'liberator')?.metadata.annotations?.[
        'liberator.dev/paused'
      ];
    label('node-3');
    run('a');
    run('b');
    await pass(30);
    change<Node>(resources.leases, 'liberator', 'liberator', ({ metadata, ...lease }) => ({
      ...lease,
      metadata: { ...metadata, annotations: { 'liberator.dev/paused': 'storage' } },
    }));
    await pass(2);
    await stopAll();
    simulator.store.delete(resources.leases, 'liberator', 'liberator', {}, human);
    run('c');
    await pass(30);
    expect(paused()).toBe('storage');
    simulator.machine('node-3').crash();
    await pass(300);
    expect(isThere('node-3')).toBe(true);
    change<Node>(resources.leases, 'liberator', 'liberator', ({ metadata, ...lease }) => ({
      ...lease,
      metadata: { ...metadata, annotations: {} },
    }));
    await pass(10);
    expect(isThere('node-3')).toBe(false);
    expect(simulator.store.find(resources.configmaps, 'liberator', 'liberator-pause')).toBeUndefined();
  });
});
