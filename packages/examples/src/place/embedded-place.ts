// A cluster in this process, on virtual time: a minute of Kubernetes takes about a second.
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';
import { type Manifest, namespaceObject } from '../demo/cluster/create-objects.ts';
import { agentNamespace } from '../demo/cluster/demo-cluster.ts';
import { machines } from '../demo/cluster/embedded-cluster.ts';
import { DemoFailure } from '../demo/failure.ts';
import { type Place, patienceMs } from './place.ts';

/** How much virtual time passes before real sockets get their turn. */
const strideMs = 100;

const context = { user: 'example' };

export async function openEmbeddedPlace(signal: AbortSignal): Promise<Place> {
  const clock = new VirtualClock({ epoch: Date.now() });
  const random = seededRandom('examples');
  const simulator = await Simulator.start({ clock, random, nodes: machines(3) });
  await simulator.until(() => simulator.nodesReady());
  // A kubelet makes its first Lease a while after it has registered.
  await clock.advance(15_000);
  createIn(simulator, namespaceObject(agentNamespace));
  return {
    kind: 'embedded',
    version: await versionOf(simulator),
    about: 'a cluster in this process, whose time flies',
    changedTimers: [],
    providesVolumes: true,
    clock,
    random,
    probe: simulator.probe(),
    connection: (purpose) => simulator.transport({ userAgent: purpose }),
    create: async (objects) => {
      for (const object of objects) createIn(simulator, object);
    },
    crash: async (node) => simulator.machine(node).crash(),
    powerOn: async (node) => simulator.machine(node).powerOn(),
    nodeDeletes: async (since) =>
      simulator
        .audit()
        .filter(
          ({ verb, resource, code, time }) =>
            verb === 'delete' && resource === 'nodes' && code === 200 && time >= since.getTime(),
        ).length,
    async until(what, reached) {
      const limit = clock.now() + patienceMs;
      while (!(await reached())) {
        signal.throwIfAborted();
        if (clock.now() > limit) throw new DemoFailure(`waited 3 minutes in vain until ${what}`);
        await clock.advance(strideMs);
        await pause(1);
      }
    },
    allSettled: async (promises) => {
      await clock.runUntilSettled(Promise.allSettled(promises));
    },
    [Symbol.asyncDispose]: () => simulator.stop(),
  };
}

async function versionOf(simulator: Simulator): Promise<string> {
  const { signal } = new AbortController();
  const { body } = await simulator.transport().send({ method: 'GET', path: '/version', signal });
  return ((await json(body)) as { gitVersion: string }).gitVersion;
}

function createIn(simulator: Simulator, object: Manifest): void {
  const kind = Object.values(resources).find((resource) => resource.kind === object.kind);
  if (kind === undefined)
    throw new RangeError(`expected a kind that the simulator serves, found ${object.kind}`);
  simulator.store.create(kind, object, context);
}
