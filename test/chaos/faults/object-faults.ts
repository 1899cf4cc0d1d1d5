// What others do to objects: Nodes deleted and put up anew, finalizers, deletions that a policy refuses, records spoiled, pauses.
import { resources } from '@liberator/simulator';
import type { Dice } from '../world/dice.ts';
import { everything, type Spoiling, spoilings } from '../world/human-touch.ts';
import { election } from '../world/replica.ts';
import type { Shape } from '../world/scenario.ts';
import type { Fault } from './fault.ts';

const minute = 60_000;

const anyNode = (dice: Dice, { nodes }: Shape): { target: string } => ({ target: dice.of(nodes).name });

const anyPod = (dice: Dice, { sets }: Shape): { target: string } => {
  const { name, replicas } = dice.of(sets);
  return { target: `${name}-${dice.whole(0, replicas - 1)}` };
};

const nodeDeleted: Fault = {
  kind: 'node-deleted',
  weight: 3,
  longestMs: 0,
  draw: anyNode,
  begin: ({ human }, { target }) => {
    human.deleteNode(target);
    return undefined;
  },
};

const nodeRecreated: Fault = {
  kind: 'node-recreated',
  weight: 3,
  longestMs: 0,
  draw: anyNode,
  begin: ({ human, scenario }, { target }) => {
    // A Node whose machine never reports on it is no death, so its pods would wait for a human for ever.
    if (target !== scenario.staysOff) human.recreateNode(target);
    return undefined;
  },
};

/** A machine dies, and soon after somebody deletes its Node. */
const buried: Fault = {
  kind: 'machine-buried',
  weight: 3,
  longestMs: 8 * minute,
  draw: (dice, { nodes }) => ({
    target: dice.of(nodes).name,
    manner: `${dice.of(['crash', 'cut'])} ${dice.whole(5, 90)}`,
  }),
  begin: (world, { target, manner }) => {
    const machine = world.simulator.machine(target);
    const [how, seconds] = manner.split(' ');
    if (how === 'crash') machine.crash();
    else machine.cut();
    const timer = world.clock.setTimeout(() => {
      if (world.calm) return;
      world.note('human', `deletes the Node of ${target}`);
      world.human.deleteNode(target);
    }, Number(seconds) * 1_000);
    return () => {
      world.clock.clearTimeout(timer);
      if (how === 'crash') machine.powerOn();
      else machine.heal();
    };
  },
};

const held = (kind: 'pods' | 'nodes', draw: Fault['draw']): Fault => ({
  kind: kind === 'pods' ? 'pod-held' : 'node-held',
  weight: 2,
  longestMs: 8 * minute,
  draw,
  begin: ({ human }, { target }) => human.hold(kind, target),
});

const refused = (resource: 'pods' | 'nodes', draw: Fault['draw']): Fault => ({
  kind: resource === 'pods' ? 'pod-deletion-refused' : 'node-deletion-refused',
  weight: 2,
  longestMs: 10 * minute,
  draw: (dice, shape) => ({ ...draw(dice, shape), manner: dice.of(['403', '500']) }),
  begin: ({ human, simulator }, { target, manner }) => {
    const code = manner === '500' ? 500 : 403;
    return human.lasting(simulator.admission.refuseDeletion({ resource, name: target, code }));
  },
});

const recordSpoiled: Fault = {
  kind: 'record-spoiled',
  weight: 4,
  longestMs: 10 * minute,
  draw: (dice, shape) => ({ ...anyNode(dice, shape), manner: dice.of(spoilings) }),
  begin: ({ human, truth }, { target, manner }) => {
    // Rather one that is in use: whose it is shows only when the fault begins.
    const open = truth.records.find(({ result }) => result === undefined)?.node.name;
    return human.spoilRecord(open ?? target, manner as Spoiling);
  },
};

const pausedAll: Fault = {
  kind: 'everything-paused',
  weight: 2,
  longestMs: 4 * minute,
  draw: () => ({ target: everything }),
  begin: ({ human }) => human.pause(everything),
};

const pausedNode: Fault = {
  kind: 'node-paused',
  weight: 2,
  longestMs: 6 * minute,
  draw: anyNode,
  begin: ({ human }, { target }) => human.pause(target),
};

const electionLeaseDeleted: Fault = {
  kind: 'election-lease-deleted',
  weight: 1,
  longestMs: 0,
  disturbs: true,
  draw: () => ({ target: '' }),
  begin: ({ simulator, truth }) => {
    const { namespace, name } = election;
    if (truth.electionLease === undefined) return undefined;
    simulator.store.delete(resources.leases, namespace, name, {}, { user: 'human' });
    return undefined;
  },
};

export const objectFaults: readonly Fault[] = [
  nodeDeleted,
  nodeRecreated,
  buried,
  held('pods', anyPod),
  held('nodes', anyNode),
  refused('pods', anyPod),
  refused('nodes', anyNode),
  recordSpoiled,
  pausedAll,
  pausedNode,
  electionLeaseDeleted,
];
