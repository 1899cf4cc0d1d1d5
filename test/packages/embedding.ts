// A program as somebody else would write it, against the packed packages: its node dies, and it frees the pod on it.
// The same text is compiled for both module systems, so it awaits nothing at its top level.
import {
  Controller,
  type ControllerOptions,
  connect,
  defaultHeartbeatDetection,
  LeaderElector,
  noneFencer,
  type TakeoverRecord,
} from '@liberator/core';
import { LeaderElector as ElectorByItself } from '@liberator/core/election';
import { type Guard, hold, type Policy, pass } from '@liberator/core/policy';
import { resources, Simulator, seededRandom, VirtualClock } from '@liberator/simulator';

const namespace = 'default';
const asUser = { user: 'user' };

const policy: Policy = {
  name: 'all',
  nodes: { all: true },
  detection: defaultHeartbeatDetection,
  controlPlane: false,
  evidence: 'unreachable',
  budget: { maxDead: 1, maxDeadPercent: 50 },
  fencing: { ladder: [{ fencer: 'none' }], proof: 'optional' },
  node: 'delete',
};

const notOnNode3: Guard = {
  name: 'not-on-node-3',
  evaluate: ({ node }) => (node.name === 'node-3' ? hold('node-3 is ours') : pass),
};

function createDatabase(simulator: Simulator): void {
  const labels = { app: 'db' };
  const container = { name: 'db', image: 'db:1' };
  simulator.store.create(
    resources.statefulsets,
    {
      metadata: { name: 'db', namespace },
      spec: {
        serviceName: 'db',
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    },
    asUser,
  );
}

async function main(): Promise<void> {
  const clock = new VirtualClock();
  const random = seededRandom(1);
  await using simulator = await Simulator.start({ clock, random });
  createDatabase(simulator);
  await simulator.until(() => simulator.nodesReady() && simulator.runningPods().length === 1);
  const nodeOfDatabase = simulator.runningPods()[0]?.node ?? '';

  const identity = 'embedding';
  const election = { namespace, name: 'embedding' };
  const transport = simulator.transport({ user: identity });
  const options: ControllerOptions = {
    ...connect({ transport, leaseTransport: transport, namespace, election, identity, clock, random }),
    election,
    identity,
    clock,
    random,
    policies: [policy],
    fencers: [noneFencer],
    guards: [notOnNode3],
    probe: simulator.probe(),
  };
  const controller = new Controller(options);
  const ended: TakeoverRecord[] = [];
  controller.on('takeover', ({ record, step }) => {
    if (step === 'close') ended.push(record);
  });
  const stop = new AbortController();
  const running = controller.run(stop.signal);
  await clock.advance(60_000);
  simulator.machine(nodeOfDatabase).crash();
  await simulator.until(() => ended.length > 0);
  stop.abort();
  await running;

  const [record] = ended;
  console.log(
    JSON.stringify({
      crashed: nodeOfDatabase,
      took: record?.node.name,
      result: record?.result,
      moved: simulator.runningPods().some(({ node }) => node !== nodeOfDatabase),
      guards: record?.verdicts.map(({ guard }) => guard),
      oneElector: ElectorByItself === LeaderElector,
    }),
  );
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
